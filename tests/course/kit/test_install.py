"""A kit installs whole or not at all, and only where its wheels fit."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from wmlearn.course.kit import install


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit of one wheel, which is none: pip refuses it."""
    folder = tmp_path / "kit"
    (folder / "wheels").mkdir(parents=True)
    (folder / "kit.json").write_text(json.dumps(install.here()))
    (folder / "wheels" / "a-1-py3-none-any.whl").write_bytes(b"no archive")
    (folder / "install.py").write_bytes(Path(install.__file__).read_bytes())
    _sum_up(folder)
    return folder


def _sum_up(folder: Path) -> None:
    names = ("kit.json", "wheels/a-1-py3-none-any.whl")
    lines = [f"{install.checksum(folder / name)}  {name}\n" for name in names]
    (folder / install.SUMS).write_text("".join(lines))


def test_it_needs_python_alone() -> None:
    text = Path(install.__file__).read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(isinstance(node, ast.Import) or not node.level for node in imports)
    names = {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("what", "other", "says"),
    [
        ("python", "3.9", "for Python 3.9 on "),
        ("system", "Plan9", " on Plan9 "),
        ("machine", "z80", " z80, here is Python"),
    ],
)
def test_another_machine_is_refused_by_name(
    kit: Path, tmp_path: Path, what: str, other: str, says: str
) -> None:
    (kit / "kit.json").write_text(json.dumps(install.here() | {what: other}))
    _sum_up(kit)
    with pytest.raises(SystemExit, match=says):
        install.main(kit, [str(tmp_path / "new")])
    assert not (tmp_path / "new").exists()


def test_a_damaged_or_missing_file_is_named_before_anything_is_installed(kit: Path, tmp_path: Path) -> None:
    assert install.damaged(kit) == []
    (kit / "wheels" / "a-1-py3-none-any.whl").write_bytes(b"no archivf")
    with pytest.raises(SystemExit, match=r"must be as they were packed: wheels/a-1-py3-none-any\.whl"):
        install.main(kit, [str(tmp_path / "new")])
    (kit / "wheels" / "a-1-py3-none-any.whl").unlink()
    assert install.damaged(kit) == ["wheels/a-1-py3-none-any.whl"]
    assert not (tmp_path / "new").exists()


def test_what_is_there_already_stays(kit: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="must not be there yet"):
        install.main(kit, [str(tmp_path)])
    assert kit.exists()


def test_a_wheel_that_pip_refuses_leaves_no_half_environment(kit: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(kit / "install.py"), str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "a-1-py3-none-any.whl" in done.stderr, "pip's own words"
    assert "pip must install every wheel" in done.stderr
    assert not (tmp_path / "new").exists()
