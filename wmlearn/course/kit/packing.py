"""Make a kit: wheels of the course and all it needs, checksums, and what installs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from packaging.tags import Tag, sys_tags  # comes with jupyterlab and matplotlib
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from ...data import files
from ...errors import DataError, require
from . import install

LEAST = 600e6  # bytes of the smallest kit: a PyTorch without CUDA has 190 million of them
OF_A_GPU = re.compile(r"nvidia|cuda|triton")
STEP = re.compile(r"\s*(Collecting|Downloading|Using cached) ([^\s;\[]+)(?:.*\((\S+ [kMG]B)\))?")
NO_EXTRA = "does not provide the extra"  # which pip only warns of
LONGEST = 300  # letters of pip's own words that are passed on
FIX = "Try again with a network and space, or name another source with --wheels or --index."
README = """# wmlearn, offline kit

The course wmlearn {version} for Python {python} on {system} {machine}: {n} packages, {size}.
No network is needed. In this folder, in a terminal:

```
{run} install.py
{programs}wmlearn quickstart
{programs}wmlearn lab
```

The first installs into a new folder of your own, `wmlearn-env` or what you name after it, in one to five
minutes. It refuses another Python, and files that aren't what `SHA256SUMS` says. The last opens notebook 01:
a copy of your own, in `wmlearn-course`.{without}
"""
NEEDED = {"04": "signs", "11": "serve", "13": "tables", "15": "intake"}
"""Notebook -> the extra that it needs."""


@dataclass(frozen=True)
class Source:
    """Where wheels come from, beside the index that pip uses anyway."""

    wheels: Path | None = None
    index: str | None = None

    def __post_init__(self) -> None:
        if self.wheels is not None:
            found = any(self.wheels.glob("*.whl"))
            rule = "the folder of wheels must hold files *.whl"
            require(found, rule, str(self.wheels), "Name another folder.")
        if self.index is not None:
            rule = "the index must be an address"
            is_one = self.index.startswith(("https://", "http://", "file://"))
            require(is_one, rule, self.index, "Begin it with https://.")

    def words(self) -> list[str]:
        """Return the options that name both to pip."""
        words = [] if self.wheels is None else ["--find-links", str(self.wheels.absolute())]
        return words if self.index is None else [*words, "--extra-index-url", self.index]

    def pins(self) -> list[str]:
        """Pin what the folder has a wheel of for this machine: an index may have a newer one, or CUDA's."""
        fitting = frozenset(sys_tags())
        newest: dict[str, Version] = {}
        for wheel in [] if self.wheels is None else _wheels(self.wheels):
            if wheel.tags & fitting:
                newest[wheel.name] = max(wheel.version, newest.get(wheel.name, wheel.version))
        return [f"{name}=={number}" for name, number in newest.items()]


@dataclass(frozen=True)
class _Wheel:
    """What the name of a wheel says."""

    name: str
    version: Version
    tags: frozenset[Tag]


def _wheels(folder: Path) -> list[_Wheel]:
    """Read the names in a folder; those that pip can't read are left out."""
    found = []
    for path in sorted(folder.glob("*.whl")):
        with suppress(InvalidWheelFilename):
            name, number, _, tags = parse_wheel_filename(path.name)
            found.append(_Wheel(name, number, tags))
    return found


@dataclass(frozen=True)
class Kit:
    """What was packed: its folder, how many wheels, all bytes, and those that only a GPU needs."""

    folder: Path
    n_wheels: int
    size: int
    for_gpu: int


def pack(
    out: Path,
    source: Source = Source(),
    extras: Sequence[str] = (),
    on_step: Callable[[str], object] = lambda step: None,
) -> Kit:
    """Make a kit for this kind of machine and this Python in the new folder `out`, whole or not at all.

    `on_step` is told what pip does. Raises `DataError` where `out` is there already or can't be written, and
    where a wheel can't be had.
    """
    files.check_new_folder(out)
    _check_space(out)
    if find_spec("pip") is None:
        raise DataError("Packing needs pip, which is not installed. Run python -m ensurepip.")

    def fill(folder: Path) -> None:
        folder.chmod(0o755)
        _gather(folder, source, extras, on_step)
        on_step("checksums")
        _furnish(folder, extras)

    files.new_folder(out, fill)
    return describe(out)


def describe(folder: Path) -> Kit:
    """Measure a kit."""
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    wheels = [path for path in sizes if path.suffix == ".whl"]
    for_gpu = sum(sizes[path] for path in wheels if OF_A_GPU.match(path.name))
    return Kit(folder, len(wheels), sum(sizes.values()), for_gpu)


def said_size(n_bytes: float) -> str:
    """Say a size as a folder's properties do: "385 MB", "3.9 GB"."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def _check_space(out: Path) -> None:
    place = next(folder for folder in out.absolute().parents if folder.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST:
        rule = f"{place} must have {said_size(LEAST)} free at least"
        raise DataError(f"{rule}, got {said_size(free)}. Free some space, or name another folder.")


def _gather(folder: Path, source: Source, extras: Sequence[str], on_step: Callable[[str], object]) -> None:
    """Fill `folder`/wheels; what pip makes on the way lies beside `folder`, and goes with it."""
    own = folder.with_name("own")
    own.mkdir()
    pins = folder.with_name("pins.txt")
    pins.write_text("".join(f"{pin}\n" for pin in source.pins()), encoding="utf-8")
    options = [*source.words(), "--only-binary", ":all:", "--constraint", str(pins)]
    wanted = str(_own_wheel(own, source, on_step)) + (f"[{','.join(extras)}]" if extras else "")
    _pip(["download", *options, "--dest", str(folder / "wheels"), wanted], own, on_step)
    _check_pair(folder / "wheels")


def _own_wheel(own: Path, source: Source, on_step: Callable[[str], object]) -> Path:
    """Make the wheel of wmlearn from the clone; without one, take it from the folder of wheels.

    No index is asked for it: under that name, anybody could have put anything there.
    """
    clone = files.ROOT.parent
    if not (clone / "pyproject.toml").is_file():
        name = f"wmlearn-{version('wmlearn')}-py3-none-any.whl"
        if source.wheels is None or not (source.wheels / name).is_file():
            fix = "Put it there, or pack from a clone of the project."
            raise DataError(f"the folder of --wheels must hold {name}, got none. {fix}")
        return (source.wheels / name).absolute()
    ready = ["--no-build-isolation"] if find_spec("hatchling") else source.words()
    on_step("making the wheel of wmlearn")
    _pip(["wheel", "--no-deps", *ready, "--wheel-dir", str(own), str(clone)], own, on_step)
    [wheel] = own.glob("wmlearn-*.whl")
    return wheel


def _check_pair(folder: Path) -> None:
    """Refuse a torchvision that was built for another PyTorch: its import would fail, far from any help."""
    pair = {wheel.name: wheel.version for wheel in _wheels(folder) if wheel.name in ("torch", "torchvision")}
    if len({number.local for number in pair.values()}) > 1:
        got = " and ".join(f"{name} {number}" for name, number in pair.items())
        fix = "Give --wheels or --index that have both."
        raise DataError(f"torch and torchvision must be of one build, got {got}. {fix}")


def _pip(words: Sequence[str], temporary: Path, on_step: Callable[[str], object]) -> None:
    """Run pip, with its temporary files on the disk of the kit; raise its last error as `DataError`."""
    line = [sys.executable, "-m", "pip", *words]
    line += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    error = ""
    with subprocess.Popen(line, env=environment, **piped) as process:
        for said in process.stdout or ():
            step = STEP.match(said)
            if step:
                on_step(" ".join([step[1].lower(), Path(step[2]).name, step[3] or ""]))
            if said.startswith("ERROR: ") or NO_EXTRA in said:
                error = said.partition(": ")[2].strip()[:LONGEST]
    if process.returncode or error:
        raise DataError(f"pip must get every wheel for this machine, got: {error}. {FIX}")


def _lacking(extras: Sequence[str]) -> Iterator[str]:
    """Say which notebooks don't run from a kit with these extras."""
    for notebook, extra in NEEDED.items():
        if extra not in extras:
            yield f" Notebook {notebook} needs the extra `{extra}`, which is not in this kit."


def _furnish(folder: Path, extras: Sequence[str]) -> None:
    """Put beside the wheels what installs them, what says how, and the checksums of all."""
    made_for = install.here()
    files.write(folder / "kit.json", (json.dumps(made_for, indent=1) + "\n").encode())
    files.write(folder / "install.py", files.read(Path(install.__file__)))
    windows = made_for["system"] == "Windows"
    kit = describe(folder)
    text = README.format(
        version=version("wmlearn"),
        n=kit.n_wheels,
        size=said_size(kit.size),
        run=f"py -{made_for['python']}" if windows else f"python{made_for['python']}",
        programs="%USERPROFILE%\\wmlearn-env\\Scripts\\" if windows else "~/wmlearn-env/bin/",
        without="".join(_lacking(extras)),
        **made_for,
    )
    files.write(folder / "README.md", text.encode())
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{install.checksum(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    files.write(folder / install.SUMS, "".join(lines).encode())
