"""The doctor looks for what the package's own metadata ask for, and says how to mend what is missing."""

from __future__ import annotations

import functools
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from wmlearn.cli import doctor
from wmlearn.data import files
from wmlearn.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
ONCE = {name: functools.cache(getattr(files, name)) for name in ("damaged", "checked")}


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read all the data for the first of these tests, not for each."""
    for name, look in ONCE.items():
        monkeypatch.setattr(doctor, name, look)


def _faults() -> dict[str, str]:
    return {finding.what: finding.fix for finding in doctor.examine() if not finding.ok}


def _states() -> dict[str, str]:
    return {finding.what: finding.state for finding in doctor.examine()}


def _ask_for(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(doctor, "requires", lambda name: list(lines))


def test_here_nothing_is_wrong() -> None:
    assert _faults() == {}


def test_every_dependency_of_the_project_is_looked_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("\ndependencies = [")[1].split("\n]")[0]
    names = re.findall(r'^\s*"([\w-]+)', block, re.MULTILINE)
    assert len(names) > 10
    assert set(names) <= _states().keys()


def test_a_missing_package_is_named_and_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_for(monkeypatch, "torch>=2.6", "no-such-package>=1")
    assert _faults() == {"no-such-package": "pip install -e ."}
    assert _states()["no-such-package"] == "missing"


def test_a_package_that_is_too_old_is_named_with_what_it_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_for(monkeypatch, "numpy>=9999")
    assert _faults() == {"numpy": "pip install -e ."}
    assert _states()["numpy"] == f"{version('numpy')}, but it must be >=9999"


def test_what_only_an_extra_asks_for_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_for(monkeypatch, "numpy>=1", "no-such-package; extra == 'serve'", "torch>=9999; extra == 'bench'")
    assert _faults() == {}
    states = _states()
    assert states["extra serve"].startswith(
        "without no-such-package (only for notebook 11 and to serve a model): pip"
    )
    assert states["extra bench"] == 'without torch (optional): pip install -e ".[bench]"'
    assert states["extra test"] == "installed"


def test_another_python_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.9.1")
    assert _faults()["Python"].startswith("Use Python ")


def test_more_threads_than_cores_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.torch, "get_num_threads", lambda: 10_000)
    assert _faults() == {"threads": "Unset OMP_NUM_THREADS."}


def test_damaged_data_and_a_full_disk_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "damaged", lambda: ["mnist/x.gz"])
    monkeypatch.setattr(doctor, "checked", lambda: "DAMAGED: mnist/x.gz")
    monkeypatch.setattr(doctor, "ROOM", 1e9)
    assert _faults() == {"data": files.REMEDY, "free disk": "Free half a gigabyte."}
    assert _states()["data"].startswith("DAMAGED: mnist/x.gz")


def test_without_torchvision_it_says_what_is_missing_for_which_notebook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _ask_for(monkeypatch, "no-such-package; extra == 'signs'")
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    assert "torchvision" not in _states()
    without = "without no-such-package (only for notebook 04 and to fetch data)"
    assert doctor._extra("signs").state == f'{without}: pip install -e ".[signs]"'
    assert doctor._extra("signs").ok


def test_a_torchvision_of_another_build_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: str) -> None:
        raise DataError(f"{what} needs a torchvision that fits PyTorch")

    assert _states()["torchvision"] == version("torchvision")
    monkeypatch.setattr(doctor, "require_torchvision", refuse)
    assert _faults() == {"torchvision": "Install both from the same index."}
