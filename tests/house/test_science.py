"""The science is quiet and leaves the caller's world alone: its screen, its devices, its generators."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rooms import MODULES, ROOT, SCIENCE, calls, chain, imports, label, room, tree

LOUD = ("logging.", "warnings.simplefilter", "warnings.filterwarnings")


@pytest.mark.parametrize("path", SCIENCE, ids=label)
def test_the_science_never_prints(path: Path) -> None:
    assert "print" not in calls(path)
    assert not [call for call in calls(path) if call.startswith(LOUD)]


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_nobody_moves_tensors_to_a_gpu_behind_the_callers_back(path: Path) -> None:
    assert not [call for call in calls(path) if call.endswith(".cuda")]


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) != "course"], ids=label)
def test_only_the_lessons_look_at_environment_variables(path: Path) -> None:
    names = {chain(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert not names & {"os.environ", "os.getenv", "os.putenv"}
    assert not {parts[1:] for parts in imports(path) if parts[0] == "os"} & {("environ",), ("getenv",)}


def test_the_global_generator_is_seeded_only_where_it_is_put_back() -> None:
    seeders = {label(path) for path in MODULES if any(_seeds(call) for call in calls(path))}
    drawn = {"wmlearn/models/networks.py", "wmlearn/models/rebirth.py", "wmlearn/street_detector.py"}
    assert seeders == drawn
    for name in seeders:
        path = ROOT / name
        forked = [call for call in _forked(path) if _seeds(call)]
        assert len(forked) == len([call for call in calls(path) if _seeds(call)])


def _seeds(call: str) -> bool:
    return call.endswith("torch.manual_seed") or "random.seed" in call


def _forked(path: Path) -> Iterator[str]:
    """Yield the calls of a file inside `with torch.random.fork_rng…`."""
    for block in ast.walk(tree(path)):
        if isinstance(block, ast.With) and any("fork_rng" in ast.dump(item) for item in block.items):
            yield from (chain(node.func) for node in ast.walk(block) if isinstance(node, ast.Call))
