"""The science is quiet and leaves the caller's world alone: its screen, its devices, its generators."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rooms import MODULES, ROOT, SCIENCE, calls, chain, imports, label, room, tree

LOUD = ("logging.", "warnings.simplefilter", "warnings.filterwarnings")


def _callers(paths: Sequence[Path], wrong: Callable[[str], bool]) -> list[str]:
    """Return the calls that are wrong in files."""
    return [f"{label(path)}: {call}" for path in paths for call in calls(path) if wrong(call)]


def test_the_science_never_prints() -> None:
    assert _callers(SCIENCE, lambda call: call == "print" or call.startswith(LOUD)) == []


def test_nobody_moves_tensors_to_a_gpu_behind_the_callers_back() -> None:
    assert _callers(MODULES, lambda call: call.endswith(".cuda")) == []


def test_only_the_lessons_look_at_environment_variables() -> None:
    assert [label(path) for path in MODULES if room(path) != "course" and _looks(path)] == []


def _looks(path: Path) -> bool:
    names = {chain(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    taken = {parts[1:] for parts in imports(path) if parts[0] == "os"}
    return bool(names & {"os.environ", "os.getenv", "os.putenv"} or taken & {("environ",), ("getenv",)})


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
