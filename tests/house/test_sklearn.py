"""Only fitted models and tables need scikit-learn, which most lessons don't: it is imported inside
functions.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rooms import MODULES, label, tree


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_it_is_imported_only_inside_functions(path: Path) -> None:
    outside = [node for node in tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not [node for node in outside if "'sklearn" in ast.dump(node) or "'skops" in ast.dump(node)]
