"""The package of ownership: every file can be had by its own name."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

from wmlearn import evidence, ownership, suspects

PACKAGES = {package.__name__: package for package in (evidence, ownership, suspects)}


@pytest.mark.parametrize("name", PACKAGES)
def test_no_name_of_a_package_hides_one_of_its_files(name: str) -> None:
    package = PACKAGES[name]
    for file in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{name}.{file.name}")
        assert isinstance(getattr(package, file.name), ModuleType), f"import {name}.{file.name} as it"
