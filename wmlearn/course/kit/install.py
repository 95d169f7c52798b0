"""Install the course from this folder, without a network: python3 install.py [FOLDER]

FOLDER is where it goes, by default wmlearn-env in your own folder. What lies here stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

# a kit carries a copy of this file, which runs before anything is installed: it needs Python alone
SUMS = "SHA256SUMS"


def here() -> dict[str, str]:
    """Return what wheels are made for: this Python, this system, this kind of processor."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return {"python": python, "system": platform.system(), "machine": platform.machine()}


def other_machine(made_for: dict[str, str]) -> str:
    """Say why a kit can't be installed here, "" where it can."""
    if made_for == here():
        return ""
    fix = "Start it with that Python, or make a kit on such a machine."
    return f"This kit is for {_said(made_for)}, here is {_said(here())}. {fix}"


def _said(kind: dict[str, str]) -> str:
    return f"Python {kind['python']} on {kind['system']} {kind['machine']}"


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece: PyTorch alone may have a gigabyte."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def damaged(kit: Path) -> list[str]:
    """Name the files of a kit that are missing, or not what `SHA256SUMS` says."""
    bad = []
    for line in (kit / SUMS).read_text(encoding="utf-8").splitlines():
        wanted, name = line.split("  ", 1)
        path = kit / name
        if not path.is_file() or checksum(path) != wanted:
            bad.append(name)
    return bad


def programs(home: Path) -> Path:
    """Return the folder of an environment's programs."""
    return home / ("Scripts" if sys.platform == "win32" else "bin")


def fill(home: Path, wheels: list[str]) -> None:
    """Make an environment and put all wheels into it; raise `RuntimeError` in words where that fails."""
    try:
        venv.create(home, with_pip=True, symlinks=sys.platform != "win32")
    except subprocess.CalledProcessError as error:
        fix = "On Debian and Ubuntu, install the package python3-venv."
        raise RuntimeError(f"Python must be able to make an environment with pip. {fix}") from error
    pip = [str(programs(home) / "python"), "-m", "pip", "--isolated", "--disable-pip-version-check"]
    alone = ["--no-index", "--no-deps", "--no-cache-dir", "--quiet"]
    if subprocess.call([*pip, "install", *alone, *wheels]):
        raise RuntimeError("pip must install every wheel; what went wrong stands above.")
    if subprocess.call([*pip, "check"]):
        raise RuntimeError("Every package must find what it needs; what is missing stands above.")


def main(kit: Path, words: list[str]) -> None:
    """Check the kit, install it, and say what to do next; a failure leaves nothing behind."""
    home = Path(words[0]).expanduser().absolute() if words else Path.home() / "wmlearn-env"
    why = other_machine(json.loads((kit / "kit.json").read_text(encoding="utf-8")))
    if why:
        sys.exit(why)
    if home.exists():
        sys.exit(f"{home} must not be there yet. Name another folder: python3 install.py FOLDER")
    print("Checking the files ...", flush=True)
    bad = damaged(kit)
    if bad:
        sys.exit(f"These files must be as they were packed: {', '.join(bad)}. Copy the kit again.")
    wheels = sorted(str(path) for path in (kit / "wheels").glob("*.whl"))
    print(f"Installing {len(wheels)} packages into {home}: one to five minutes ...", flush=True)
    try:
        fill(home, wheels)
    except BaseException as error:
        shutil.rmtree(home, ignore_errors=True)
        if isinstance(error, (RuntimeError, OSError)):
            sys.exit(str(error))
        raise
    command = programs(home) / "wmlearn"
    print(f"Done. Next:\n  {command} quickstart\n  {command} lab")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent, sys.argv[1:])
