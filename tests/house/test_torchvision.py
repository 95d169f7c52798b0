"""Only the detector of notebook 04 and the fetching of data need torchvision; without it, both say so."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rooms import MODULES, dotted

from wmlearn import errors

LACKING = {  # what needs it -> the beginning of what it says
    "wm.street_detector.street_rcnn()": "A detector of signs needs torchvision, which is not installed.",
    "wm.load('fashion-mnist')": "Fetching Fashion-MNIST needs torchvision",
    "wm.load('cifar10')": "Fetching CIFAR-10 needs torchvision",
    "wm.load('gtsrb')": "Fetching GTSRB needs torchvision",
    "list(bench.PARTS['signs']())": "The ordinary way needs torchvision",
}


@pytest.fixture(scope="module")
def session(anew: Callable[[str], str]) -> dict[str, Any]:
    """Import every module, by its own name, in a process without torchvision; then run all of `LACKING`:
    which names give something else, and what is said.
    """
    code = f"""
import json, sys, tempfile
sys.modules["torchvision"] = None
from pathlib import Path
from typing import Any
others = []
for name in {[dotted(path) for path in MODULES]}:
    exec(f"import {{name}} as module")
    if module.__name__ != name:
        others.append(name)
import wmlearn as wm
from wmlearn import bench
from wmlearn.data import files
said = {{}}
with tempfile.TemporaryDirectory() as folder:
    files.CACHE = Path(folder)
    for line in {list(LACKING)}:
        try:
            eval(line)
        except wm.DataError as error:
            said[line] = str(error)
print(json.dumps(dict(others=others, said=said)))
"""
    return json.loads(anew(code))


def test_without_it_every_module_loads_and_is_reached_by_its_own_name(session: dict[str, Any]) -> None:
    """`import wmlearn.a.b as m` gives the module, not a function of that name which the package exports."""
    assert session["others"] == []


@pytest.mark.parametrize("line", LACKING)
def test_what_needs_it_says_what_to_install(session: dict[str, Any], line: str) -> None:
    said = session["said"][line]
    assert said.startswith(LACKING[line])
    assert said.endswith('Run pip install "wmlearn[signs]".')


def test_one_that_was_built_for_another_pytorch_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(errors.DataError, match=r"fits PyTorch, got: .*nms.*\. Install both from the same"):
        errors.require_torchvision("A detector")
