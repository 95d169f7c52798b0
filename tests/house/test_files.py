"""The files beside the code agree with it: dependencies, versions, licences; no path of anybody's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from rooms import ROOT, label

import wmlearn

FOLDERS = ("home", "Users", "root", "tmp", "work", "workspace", "private", "var/folders", "mnt")
SOMEWHERE = re.compile(rf"(?<![\w.~:/}}*-])/(?:{'|'.join(FOLDERS)})/[\w.$-]|\b[A-Za-z]:\\{{1,2}}Users\b")
"""Where a file lies on somebody's machine."""


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _block(name: str) -> list[str]:
    """Return the lines of a list in pyproject.toml."""
    match = re.search(rf"^{name} = \[\n(.*?)^\]", _read("pyproject.toml"), re.MULTILINE | re.DOTALL)
    assert match is not None
    return match[1].splitlines()


def _bounds(lines: list[str]) -> dict[str, str]:
    """Return what lines like `"torch>=2.6",  # networks` ask for: name -> lower bound, and an upper one."""
    matches = [re.match(r'\s*"([\w-]+)>=([\d.]+(?:,<[\d.]+)?)"', line) for line in lines]
    assert all(matches), "every dependency has a lower bound"
    return {match[1]: match[2] for match in matches if match}


@pytest.mark.parametrize("name", ["dependencies", "test", "serve", "intake", "teach", "site", "dev"])
def test_every_dependency_says_what_it_is_for(name: str) -> None:
    for line in _block(name):
        assert re.search(r"\",?\s+# \w.{3,}$", line), line


def test_the_conda_environment_is_in_step_with_the_package() -> None:
    wanted = _bounds(_block("dependencies")) | _bounds(_block("test"))
    wanted["pytorch"] = wanted.pop("torch")
    python = re.search(r'^requires-python = ">=(.*)"', _read("pyproject.toml"), re.MULTILINE)
    assert python is not None
    environment = yaml.safe_load(_read("environment.yml"))
    *listed, last = environment["dependencies"]
    bounded = dict(line.split(">=", 1) for line in listed if ">=" in line)
    assert bounded == wanted | {"python": python[1]}
    assert [line for line in listed if ">=" not in line] == ["pip"]
    assert last == {"pip": ["-e ."]}
    assert (environment["name"], environment["channels"]) == ("wmlearn", ["conda-forge"])


def test_the_lock_file_pins_every_dependency_and_no_name_twice() -> None:
    pins = re.findall(r"^([\w.-]+)==\S+$", _read("requirements-lock.txt"), re.MULTILINE)
    assert len(pins) == len(set(pins))
    asked = set(_bounds(_block("dependencies")) | _bounds(_block("test")) | _bounds(_block("dev")))
    assert asked - set(pins) == set()


def test_the_citation_and_the_changelog_name_this_version() -> None:
    citation = yaml.safe_load(_read("CITATION.cff"))
    assert str(citation["version"]) == wmlearn.__version__
    assert citation["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors", "date-released"} <= set(citation)
    assert f"\n## [{wmlearn.__version__}]" in _read("CHANGELOG.md")


def test_the_licences_of_code_and_text_are_there_in_full() -> None:
    code = _read("LICENSE")
    assert "Apache License" in code
    assert "END OF TERMS AND CONDITIONS" in code
    assert "creativecommons.org/licenses/by/4.0" in _read("LICENSE-TEXT.md")
    assert "Creative Commons Attribution 4.0 International Public License" in _read("LICENSES/CC-BY-4.0.txt")


def _tracked() -> list[Path]:
    """Return the files that git knows; none where there is no git, or no checkout."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return []
    if done.returncode:
        return []
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize(
    ("line", "names_a_machine"),
    [
        ("File " + '"/' + "tmp/ipykernel_1/2.py", True),
        ("in /" + "home/ada/wmlearn", True),
        ("C:" + "\\Users\\ada", True),
        ("https://example.org/" + "home/page", False),
        ("notebooks/" + "tmp/x", False),
        ("~/.cache/wmlearn", False),
    ],
)
def test_the_rule_about_paths_finds_paths_and_nothing_else(line: str, names_a_machine: bool) -> None:
    assert bool(SOMEWHERE.search(line)) is names_a_machine


def test_no_tracked_file_holds_a_path_of_somebodys_machine() -> None:
    tracked = _tracked()
    if not tracked:
        pytest.skip("not a git checkout")
    places = []
    for path in tracked:
        raw = path.read_bytes()
        if b"\0" not in raw[:8000]:  # a text
            places += [f"{label(path)}: {match[0]}" for match in SOMEWHERE.finditer(raw.decode("utf-8"))]
    assert places == []


def test_the_script_for_a_clean_machine_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    text = _read(".ci/run")
    assert script.stat().st_mode & 0o100, "it can be run"
    assert "set -euo pipefail" in text
    assert "pytest || failed=1" in text.splitlines(), "as the README has it"
    for command in ("ruff check", "ruff format --check", "pyrefly check", '".[test,dev,'):
        assert command in text
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=30)
