"""Every name is said once: a file can be found by it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rooms import MODULES, label, room

TOPICS = {"plots", "experiments", "bench", "cli", "course"}
"""Folders that say what is done with a topic: each may have a file of the same name on it."""
FOLDERS = sorted({path.parent for path in MODULES})


def test_the_name_of_a_file_occurs_once_outside_the_folders_of_topics() -> None:
    files = [path for path in MODULES if room(path) not in TOPICS and path.stem != "__init__"]
    names = Counter(path.stem for path in files)
    assert [name for name, times in names.items() if times > 1] == []


def test_no_prefix_stands_for_a_package() -> None:
    assert [name for folder in FOLDERS for name in _prefixed(folder)] == []


def _prefixed(folder: Path) -> list[str]:
    """Return the names in a folder that could be sorted under another one there."""
    names = {path.stem for path in folder.glob("*.py")}
    names |= {path.parent.name for path in folder.glob("*/__init__.py")}
    return [f"{label(folder)}/{name}" for name in sorted(names) if _prefixes(name) & names]


def _prefixes(name: str) -> set[str]:
    """Return what the name could be sorted under: a_b_c under a and a_b."""
    parts = name.split("_")
    return {"_".join(parts[:i]) for i in range(1, len(parts))}
