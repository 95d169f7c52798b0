"""What runs the course elsewhere is well formed, and in step with the package: Binder, a container, Colab.

None of the three can be started from here: this holds their syntax, and that what they name is there.
"""

from __future__ import annotations

import builtins
import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import metadata

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rooms import ROOT

from wmlearn.cli import app as cli

BINDER = ROOT / "binder"
LOCK = ROOT / "requirements-lock.txt"


def _fits(python: str) -> bool:
    return python in SpecifierSet(metadata("wmlearn")["Requires-Python"])


def _extras(target: str) -> set[str]:
    """Return the extras in `.[signs,serve,tables,intake]`."""
    return Requirement(target.replace(".", "wmlearn", 1)).extras


def _commands(text: str) -> set[str]:
    """Return the words after `wmlearn` at the beginning of a command."""
    return set(re.findall(r"(?:^|&& )wmlearn (\w+ \w+)", text, re.MULTILINE))


def _known() -> set[str]:
    """Return the commands of the groups, as `data verify`."""
    names = set()
    for group in cli.app.registered_groups:
        commands = group.typer_instance.registered_commands if group.typer_instance else []
        for command in commands:
            callback = command.callback.__name__ if command.callback else ""
            names.add(f"{group.name} {command.name or callback}")
    return names


def test_binder_installs_the_course_with_what_its_lessons_need() -> None:
    assert _fits((BINDER / "runtime.txt").read_text().strip().removeprefix("python-"))
    text = (BINDER / "requirements.txt").read_text()
    options = [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]
    words = dict(options)
    assert len(words) == len(options)
    assert words.keys() == {"--extra-index-url", "-c", "-e"}
    assert (BINDER / words["-c"]).resolve() == LOCK
    assert _extras(words["-e"]) == {"signs", "serve", "tables", "intake"}


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_binders_scripts_are_bash_and_can_be_run(name: str) -> None:
    path = BINDER / name
    assert path.stat().st_mode & 0o100
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", str(path)], check=True, timeout=60)
    assert _commands(text) <= _known()
    for code in re.findall(r'^python -c "(.*)"$', text, re.MULTILINE):
        compile(code, name, "exec")


def test_the_container_installs_the_course_with_what_its_lessons_need() -> None:
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    python = re.search(r"python:(3\.\d+)", settings["image"])
    assert python is not None
    assert _fits(python[1])
    commands = [shlex.split(command) for command in settings["postCreateCommand"].split(" && ")]
    install, verify = commands
    assert install[:3] == ["pip", "install", "-e"]
    assert _extras(install[3]) == {"signs", "serve", "tables", "intake"}
    assert (ROOT / install[install.index("-c") + 1]) == LOCK
    assert verify[0] == "wmlearn"
    assert " ".join(verify[1:]) in _known()
    assert settings["containerEnv"]["PIP_EXTRA_INDEX_URL"].startswith("https://")


def _colab() -> str:
    """Return the first cell for Colab as Python, as IPython reads it."""
    [cell] = re.findall(r"```python\n(.*?)```", (BINDER / "README.md").read_text(), re.DOTALL)
    return TransformerManager().transform_cell(cell)


def _run(code: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run a cell; return the magic commands that it gave."""
    given: list[str] = []

    class Shell:
        def run_line_magic(self, name: str, line: str) -> None:
            given.append(f"{name} {line}")

    monkeypatch.setattr(builtins, "get_ipython", Shell, raising=False)
    exec(compile(code, "colab", "exec"), {})
    return given


def test_the_first_cell_for_colab_installs_the_wheel_only_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = _colab()
    assert _run(code, monkeypatch) == []
    monkeypatch.setitem(sys.modules, "wmlearn", None)
    [line] = _run(code, monkeypatch)
    assert line == f"pip install -q wmlearn-{metadata('wmlearn')['Version']}-py3-none-any.whl"
