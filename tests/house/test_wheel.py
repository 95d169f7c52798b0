"""What is installed is whole: notebooks and data are in the wheel, and a clone is not needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from rooms import ROOT

from wmlearn.data import files

MOST_MEGABYTES = 80  # nearly all of them today: trained networks 53, MNIST 11, notebooks 11, sounds 3


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_holds_every_notebook_and_every_file_of_the_manifest(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"wmlearn/shipped/{name}" for name in files.manifest()} <= names
    notebooks = [path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").rglob("*.ipynb")]
    masters = [path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks" / "source").glob("*.py")]
    assert len(masters) >= 10
    assert {f"wmlearn/shipped/{name}" for name in [*notebooks, *masters]} <= names
    assert wheel.stat().st_size < MOST_MEGABYTES * 1e6


def test_the_wheel_asks_for_torchvision_in_extras_only(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_string(archive.read(name).decode())
    wanted = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    plain = {need.name for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})}
    signs = {need.name for need in wanted if need.marker and need.marker.evaluate({"extra": "signs"})}
    assert "torch" in plain
    assert "torchvision" not in plain
    assert signs == {"torchvision"}


def test_what_the_wheel_unpacks_to_finds_its_own_data_and_notebooks(
    wheel: Path, tmp_path: Path, anew: Callable[[str], str]
) -> None:
    """As installed, but for what it needs, which is here already; and without torchvision."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = f"""
import json, sys
sys.path.insert(0, {str(tmp_path)!r})
sys.modules["torchvision"] = None
import wmlearn as wm
from wmlearn.cli import lab
from wmlearn.data import files
found = [str(files.ROOT), files.damaged(), str(lab.chosen("01")), len(lab.notebooks())]
print(json.dumps([wm.__file__, *found]))
"""
    module, root, damaged, first, n = json.loads(anew(code))
    assert module == str(tmp_path / "wmlearn" / "__init__.py")
    assert root == str(tmp_path / "wmlearn" / "shipped")
    assert damaged == []
    assert first == str(tmp_path / "wmlearn" / "shipped" / "notebooks" / "01_two_models.ipynb")
    assert n == len(list((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")))


def test_an_editable_install_copies_nothing_but_the_name_of_the_clone(tmp_path: Path) -> None:
    code = f"from hatchling.build import build_editable; build_editable({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=300)
    [path] = tmp_path.glob("*.whl")
    with ZipFile(path) as archive:
        files_of_metadata = {name for name in archive.namelist() if ".dist-info/" in name}
        assert set(archive.namelist()) - files_of_metadata == {"_wmlearn.pth"}
        assert Path(archive.read("_wmlearn.pth").decode()) == ROOT
