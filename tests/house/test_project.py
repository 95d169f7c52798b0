"""The project keeps its own rules: imports point one way, the science is quiet, and the files beside the code
agree with it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

import wmlearn

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wmlearn"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = (  # each may import from the layers above it, and from itself where it is a package
    {"errors", "progress"},
    {"data", "models"},
    {"triggers", "weights"},
    {"training"},
    {"poisoning", "evidence", "bystanders"},
    {"statistics"},
    {"detector", "transfer", "protocols", "detection"},
    {"watermarks"},
    {"serving"},
    {"suspects"},
    {"ownership"},
    {"removal"},
    {"scorecard"},
    {"experiments"},
    {"plots"},
    {"plots_detection", "plots_marks", "plots_signs", "plots_street", "plots_transfer", "plots_weights"},
    {"plots_claims", "plots_removal"},
    {"quickstart"},
    {"course"},
    {"doctor", "bench"},
    {"bench_signs"},
    {"cli_ownership"},
    {"cli"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
SCIENCE = [
    path
    for path in MODULES
    if RANK.get(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), 99) <= RANK["experiments"]
]
HEAVY = {
    "matplotlib",
    "IPython",
    "ipywidgets",
    "anywidget",
    "torchvision",
    "scipy",
    "typer",
    "nbformat",
    "jupytext",
}
LESSONS = {
    "matplotlib",
    "IPython",
    "ipywidgets",
    "anywidget",
    "typer",
    "tqdm",
    "nbformat",
    "nbclient",
    "jupytext",
}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield every import of a file, inside functions too, as absolute parts: `from ..data import files` is
    (wmlearn, data, files).
    """
    folder = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = folder[: len(folder) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            yield from ((*start, *module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_point_one_way(path: Path) -> None:
    mine = _layer(path)
    if mine == "__init__":  # the page that exports everything
        return
    for parts in _imports(path):
        if parts[0] != "wmlearn" or parts[1:] == ("__version__",):
            continue
        assert len(parts) > 1, "a module must not import the whole package"
        assert parts[1] in RANK, f"{parts[1]} must be placed in LAYERS"
        assert parts[1] == mine or RANK[parts[1]] < RANK[mine], f"{mine} must not import {'.'.join(parts)}"


def test_every_module_has_its_layer() -> None:
    assert {_layer(path) for path in MODULES} - {"__init__"} == set(RANK)


def test_the_rule_sees_through_every_way_to_write_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "wmlearn" / "data" / "new.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import os.path\nfrom ..course import claims\nfrom .. import cli\ndef f():\n    from .files import"
        " read\n"
    )
    assert set(_imports(path)) == {
        ("os", "path"),
        ("wmlearn", "course", "claims"),
        ("wmlearn", "cli"),
        ("wmlearn", "data", "files", "read"),
    }


@pytest.mark.parametrize("path", SCIENCE, ids=_name)
def test_the_science_works_without_notebooks_widgets_and_pictures(path: Path) -> None:
    assert not {parts[0] for parts in _imports(path)} & LESSONS


def test_importing_the_package_loads_nothing_that_it_may_not_need() -> None:
    code = "import sys, wmlearn; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert set(done.stdout.split()) & HEAVY == set()
    assert done.stderr == ""


def _dotted(node: ast.AST) -> str:
    """Return `torch.cuda.synchronize` for the tree of it, "" for anything that isn't a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    before = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{before}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def _calls(path: Path) -> list[str]:
    return [_dotted(node.func) for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SCIENCE, ids=_name)
def test_the_science_never_prints(path: Path) -> None:
    assert "print" not in _calls(path)
    assert not [
        call
        for call in _calls(path)
        if call.startswith(("logging.", "warnings.simplefilter", "warnings.filterwarnings"))
    ]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nobody_moves_tensors_to_a_gpu_behind_the_callers_back(path: Path) -> None:
    assert not [call for call in _calls(path) if call.endswith(".cuda")]


@pytest.mark.parametrize("path", [path for path in MODULES if _layer(path) != "course"], ids=_name)
def test_only_the_lessons_look_at_environment_variables(path: Path) -> None:
    names = {_dotted(node) for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute)}
    assert not names & {"os.environ", "os.getenv", "os.putenv"}
    assert not {parts[1:] for parts in _imports(path) if parts[0] == "os"} & {("environ",), ("getenv",)}


def test_the_global_generator_is_seeded_only_where_it_is_put_back() -> None:
    seeders = {
        _name(path)
        for path in MODULES
        if any(call.endswith("torch.manual_seed") or "random.seed" in call for call in _calls(path))
    }
    assert seeders == {"wmlearn/models.py", "wmlearn/detector.py"}
    for name in seeders:
        inside = [
            _dotted(call.func)
            for fork in ast.walk(_tree(ROOT / name))
            if isinstance(fork, ast.With) and any("fork_rng" in ast.dump(item) for item in fork.items)
            for call in ast.walk(fork)
            if isinstance(call, ast.Call)
        ]
        everywhere = [call for call in _calls(ROOT / name) if call == "torch.manual_seed"]
        assert inside.count("torch.manual_seed") == len(everywhere)


def test_the_public_page_says_every_name_twice() -> None:
    page = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    imports = [
        alias
        for node in _tree(PACKAGE / "__init__.py").body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert imports
    for alias in imports:
        assert alias.asname == alias.name
        assert page.count(f" import {alias.name} as {alias.name}\n") == 1, "one line a name"
        assert hasattr(wmlearn, alias.name)


# The files beside the code


def _block(name: str) -> list[str]:
    found = re.search(
        rf"^{name} = \[\n(.*?)^\]",
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert found is not None
    return found[1].splitlines()


def _bounds(lines: list[str]) -> dict[str, str]:
    """Return what lines like `"torch>=2.6",  # networks` ask for: name -> lower bound, and an upper one."""
    found = [re.match(r'\s*"([\w-]+)>=([\d.]+(?:,<[\d.]+)?)"', line) for line in lines]
    assert all(found), "every dependency has a lower bound"
    return {match[1]: match[2] for match in found if match}


@pytest.mark.parametrize("name", ["dependencies", "test", "serve", "dev"])
def test_every_dependency_says_what_it_is_for(name: str) -> None:
    for line in _block(name):
        assert re.search(r"\",?\s+# \w.{3,}$", line), line


def test_the_conda_environment_is_in_step_with_the_package() -> None:
    wanted = _bounds(_block("dependencies")) | _bounds(_block("test"))
    wanted["pytorch"] = wanted.pop("torch")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *listed, last = environment["dependencies"]
    plain = dict(line.split(">=", 1) for line in listed if ">=" in line)
    python = re.search(
        r'^requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert python is not None
    assert plain == wanted | {"python": python[1]}
    assert [line for line in listed if ">=" not in line] == ["pip"]
    assert last == {"pip": ["-e ."]}
    assert (environment["name"], environment["channels"]) == ("wmlearn", ["conda-forge"])


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == wmlearn.__version__
    assert citation["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors", "date-released"} <= set(citation)


def test_the_licence_of_the_code_is_there_in_full() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "creativecommons.org/licenses/by/4.0" in (ROOT / "LICENSE-TEXT.md").read_text(encoding="utf-8")


def _tracked() -> list[Path]:
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return []
    return (
        [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
        if done.returncode == 0
        else []
    )


FOLDERS = ("home", "Users", "root", "tmp", "work", "workspace", "private", "var/folders", "mnt")
SOMEWHERE = re.compile(rf"(?<![\w.~:/}}*-])/(?:{'|'.join(FOLDERS)})/[\w.$-]|\b[A-Za-z]:\\{{1,2}}Users\b")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("File " + '"/' + "tmp/ipykernel_1/2.py", True),
        ("in /" + "home/ada/wmlearn", True),
        ("C:" + "\\Users\\ada", True),
        ("https://example.org/" + "home/page", False),
        ("notebooks/" + "tmp/x", False),
        ("~/.cache/wmlearn", False),
    ],
)
def test_the_rule_about_paths_finds_paths_and_nothing_else(line: str, found: bool) -> None:
    assert bool(SOMEWHERE.search(line)) is found


def test_no_tracked_file_holds_a_path_of_somebodys_machine() -> None:
    tracked = _tracked()
    if not tracked:
        pytest.skip("not a git checkout")
    found = []
    for path in tracked:
        raw = path.read_bytes()
        if b"\0" not in raw[:8000]:
            found += [f"{_name(path)}: {match[0]}" for match in SOMEWHERE.finditer(raw.decode("utf-8"))]
    assert found == []


# The README


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command", ["pip install -e . && wmlearn quickstart", 'pip install -e ".[test]" && pytest']
)
def test_the_readme_gives_the_two_commands_on_lines_of_their_own(command: str) -> None:
    assert _readme().splitlines().count(command) == 1


def test_the_readme_links_every_notebook_that_is_here_and_promises_no_other() -> None:
    masters = {path.stem for path in (ROOT / "notebooks" / "source").glob("*.py")}
    assert set(re.findall(r"\(notebooks/([\w-]+)\.ipynb\)", _readme())) == masters
    assert len(re.findall(r"^\| \d\d \|", _readme(), re.MULTILINE)) == len(masters)


def test_every_link_of_the_readme_to_a_file_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", _readme()):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_command_of_the_readme_exists() -> None:
    from wmlearn.cli.app import app

    names = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    names |= {group.name for group in app.registered_groups}
    assert set(re.findall(r"^\| `wmlearn (\w+)", _readme(), re.MULTILINE)) == names


def test_the_readme_has_one_place_for_the_papers_table() -> None:
    lines = _readme().splitlines()
    begin, end = lines.index("<!-- paper-here:begin -->"), lines.index("<!-- paper-here:end -->")
    assert begin < end
    assert sum("paper-here:" in line for line in lines) == 2


def test_the_script_for_a_clean_machine_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o100, "it can be run"
    assert "set -euo pipefail" in text
    assert text.splitlines()[-1] == "pytest"
    assert all(
        command in text for command in ("ruff check", "ruff format --check", "pyright", '".[test,dev,')
    )
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=30)
