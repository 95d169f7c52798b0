"""A kit is packed whole or not at all; the slow test installs one without a network, and works with it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from packaging.tags import sys_tags
from typer.testing import CliRunner

from wmlearn.cli import app as cli
from wmlearn.course.kit import packing
from wmlearn.errors import ArgumentError, DataError

TAG = str(next(iter(sys_tags())))
LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    up = struct.pack("16sH14x", b"lo", 1)  # IFF_UP
    fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""What runs a command in a network of its own after it has turned on the loopback, the only way there is."""


START = subprocess.Popen
PACKED = ("wmlearn-0.1.0", "nvidia_x-1")


def _pip(
    monkeypatch: pytest.MonkeyPatch, *told: str, code: int = 0, wheels: tuple[str, ...] = PACKED
) -> list[list[str]]:
    """Stand in for pip: make the wheels that it would, say what is `told`, end with `code`."""
    calls: list[list[str]] = []
    stand = (
        "import pathlib, sys\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "place.mkdir(exist_ok=True)\n"
        f"for name in {wheels} if place.name == 'wheels' else ['wmlearn-0.1.0']:\n"
        "    (place / f'{name}-py3-none-any.whl').write_bytes(bytes(1000))\n"
        f"print({chr(10).join(told)!r})\n"
        f"sys.exit({code})\n"
    )

    def popen(line: list[str], **how: Any) -> subprocess.Popen[str]:
        calls.append(line)
        option = "--dest" if "download" in line else "--wheel-dir"
        return START([sys.executable, "-c", stand, line[line.index(option) + 1]], **how)

    monkeypatch.setattr(packing.subprocess, "Popen", popen)
    return calls


def test_a_kit_holds_wheels_what_installs_them_and_checksums_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _pip(
        monkeypatch, "Collecting torch>=2.6 (from wmlearn)", "  Downloading torch-3-any.whl (9.1 MB)"
    )
    steps: list[str] = []
    kit = packing.pack(tmp_path / "kit", on_step=steps.append)
    assert (kit.n_wheels, kit.for_gpu) == (2, 1000)
    assert {"collecting torch>=2.6 ", "downloading torch-3-any.whl 9.1 MB"} <= set(steps)
    assert [call[3] for call in calls] == ["wheel", "download"]
    lines = (kit.folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {path.relative_to(kit.folder).as_posix() for path in kit.folder.rglob("*") if path.is_file()}
    assert there == {"SHA256SUMS", *sums}
    assert {"README.md", "install.py", "kit.json", "wheels/nvidia_x-1-py3-none-any.whl"} <= sums.keys()
    for name, digest in sums.items():
        assert hashlib.sha256((kit.folder / name).read_bytes()).hexdigest() == digest
    readme = (kit.folder / "README.md").read_text()
    assert "install.py\n" in readme
    assert "wmlearn quickstart\n" in readme
    assert "wmlearn lab\n" in readme
    assert "Notebook 04 needs the extra `signs`" in readme
    assert "Notebook 11 needs the extra `serve`" in readme
    assert "Notebook 15 needs the extra `intake`" in readme
    assert [path.name for path in tmp_path.iterdir()] == ["kit"], "nothing else is left"


def test_other_sources_and_extras_reach_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in (f"torch-2.7+cpu-{TAG}", f"torch-2.13.0+cpu-{TAG}", "torch-9-cp39-cp39-win32", "numpy-9"):
        (wheels / f"{name}.whl").touch()
    source = packing.Source(wheels, "https://example.org/simple")
    assert source.pins() == ["torch==2.13.0+cpu"], "the newest that fits this machine"
    calls = _pip(monkeypatch)
    kit = packing.pack(tmp_path / "kit", source, ["signs"])
    download = calls[-1]
    assert download[download.index("--find-links") + 1] == str(wheels)
    assert download[download.index("--extra-index-url") + 1] == "https://example.org/simple"
    assert any(word.endswith("[signs]") for word in download)
    assert "Notebook 04" not in (kit.folder / "README.md").read_text()


def test_without_a_clone_its_own_wheel_is_taken_from_the_folder_and_from_no_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _pip(monkeypatch)
    monkeypatch.setattr(packing.files, "ROOT", tmp_path / "wmlearn" / "shipped")
    name = f"wmlearn-{packing.version('wmlearn')}-py3-none-any.whl"
    with pytest.raises(
        DataError, match=r"the folder of --wheels must hold wmlearn-.*\.whl, got none\. Put it"
    ):
        packing.pack(tmp_path / "kit", packing.Source(index="https://example.org/simple"))
    assert calls == []
    (tmp_path / name).touch()
    packing.pack(tmp_path / "kit", packing.Source(tmp_path))
    [download] = calls
    assert download[3] == "download"
    assert str(tmp_path / name) in download


def test_what_pip_says_last_is_passed_on_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pip(monkeypatch, "ERROR: Could not install packages due to an OSError: No space left on device", code=1)
    with pytest.raises(DataError, match=r"got: Could not install .* No space left on device\. Try again"):
        packing.pack(tmp_path / "new" / "kit")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(DataError, match="must not be there yet"):
        packing.pack(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_full_disk_and_a_missing_pip_are_named_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"needs pip, which is not installed\. Run python -m ensurepip"):
        packing.pack(tmp_path / "kit")
    monkeypatch.setattr(packing, "LEAST", 1e18)
    with pytest.raises(DataError, match=r"must have 1000000000\.0 GB free at least, got "):
        packing.pack(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_wheels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"the folder of wheels must hold files \*\.whl"):
        packing.Source(tmp_path / "nowhere")
    with pytest.raises(ArgumentError, match="the index must be an address, got 'somewhere'"):
        packing.Source(index="somewhere")


def test_an_extra_that_there_is_not_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, "WARNING: wmlearn 0.1.0 does not provide the extra 'sings'")
    with pytest.raises(DataError, match=r"got: wmlearn 0\.1\.0 does not provide the extra 'sings'"):
        packing.pack(tmp_path / "kit", extras=["sings"])


def test_a_torchvision_of_another_build_is_refused_before_it_fails_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pip(monkeypatch, wheels=("torch-2.13.0+cpu", "torchvision-0.28.0"))
    with pytest.raises(DataError, match=r"build, got torch 2\.13\.0\+cpu and torchvision 0\.28\.0\. Give"):
        packing.pack(tmp_path / "kit", extras=["signs"])
    assert list(tmp_path.iterdir()) == []
    _pip(monkeypatch, wheels=("torch-2.13.0+cpu", "torchvision-0.28.0+cpu"))
    assert packing.pack(tmp_path / "kit", extras=["signs"]).n_wheels == 2


def test_the_command_says_the_size_and_what_of_it_a_gpu_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = packing.Kit(tmp_path, 130, 3_900_000_000, 3_100_000_000)
    monkeypatch.setattr(packing, "pack", lambda *words: kit)
    said = CliRunner().invoke(cli.app, ["pack", str(tmp_path / "kit")]).output
    assert "holds 130 packages, 3.9 GB, 3.1 GB of them for a GPU." in said


def _alone() -> list[str]:
    """Return the words that start a command in a network of its own; skip where the system forbids that."""
    words = ["unshare", "--map-root-user", "--net", sys.executable, "-c", LOOPBACK]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare: a network of its own can't be made here")
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody make a network of their own")
    return words


@pytest.mark.slow
def test_a_kit_installs_and_works_without_a_network_and_without_a_clone(tmp_path: Path) -> None:
    """It packs what pip finds by itself, several gigabytes on Linux; WMLEARN_WHEELS names a folder of smaller
    wheels, as of a PyTorch without CUDA.
    """
    alone = _alone()
    given = os.environ.get("WMLEARN_WHEELS")
    kit = packing.pack(tmp_path / "kit", packing.Source(Path(given) if given else None))
    clean = {"HOME": str(tmp_path), "PATH": os.defpath, "OMP_NUM_THREADS": "1", "WMLEARN_QUIET": "1"}
    clean |= {"JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter")}

    def run(*words: str | Path) -> str:
        command = [*alone, *map(str, words)]
        how = {"cwd": tmp_path, "env": clean, "text": True, "timeout": 3600}
        done = subprocess.run(command, capture_output=True, **how)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run(sys.executable, kit.folder / "install.py")
    programs = tmp_path / "wmlearn-env" / "bin"
    outside = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
    with pytest.raises(AssertionError, match="Network is unreachable"):
        run(programs / "python", "-c", outside)
    assert "BadNet" in run(programs / "wmlearn", "quickstart")
    _lab_opens([*alone, str(programs / "wmlearn"), "lab", "01"], tmp_path, clean)
    copy = tmp_path / "wmlearn-course" / "01_two_models.ipynb"
    run(programs / "jupyter", "execute", "--inplace", "--timeout=1800", copy)
    cells = [cell for cell in nbformat.read(copy, 4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells if cell.source)
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3


def _lab_opens(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Start the lab, wait until it serves, and end it. It would open a page that it writes for a browser."""
    settings = folder / "jupyter"
    settings.mkdir()
    text = '{"ServerApp": {"open_browser": false, "allow_root": true}}'
    (settings / "jupyter_server_config.json").write_text(text)
    told = folder / "lab.log"
    with told.open("w") as log:
        how = {"cwd": folder, "env": environment, "stdout": log, "stderr": log}
        process = subprocess.Popen(command, start_new_session=True, **how)
        try:
            for _ in range(600):
                if "http://127.0.0.1" in told.read_text() or process.poll() is not None:
                    break
                time.sleep(0.5)
            assert "http://127.0.0.1" in told.read_text(), told.read_text()[-2000:]
            pages = (folder / ".local" / "share" / "jupyter" / "runtime").glob("jpserver-*.html")
            assert any("lab/tree/01_two_models.ipynb" in page.read_text() for page in pages)
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the lab's server, too, which it started
            process.wait(60)
