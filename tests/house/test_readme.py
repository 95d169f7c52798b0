"""The README and its neighbours promise what is there: commands, links, notebooks, one short table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rooms import ROOT, label

MOST_ROWS = 25
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "data" / "README.md"]


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command", ["pip install -e . && wmlearn quickstart", 'pip install -e ".[test]" && pytest']
)
def test_the_readme_gives_the_two_commands_on_lines_of_their_own(command: str) -> None:
    assert _readme().splitlines().count(command) == 1


def test_the_map_of_the_readme_links_every_notebook_once_and_promises_no_other() -> None:
    notebooks = sorted(path.stem for path in (ROOT / "notebooks" / "source").glob("*.py"))
    rows = re.findall(r"^\| (\d\d) \| \[[^\]]+\]\(notebooks/([\w-]+)\.ipynb\)", _readme(), re.MULTILINE)
    assert [number for number, _ in rows] == [name[:2] for name in notebooks]
    assert [name for _, name in rows] == notebooks
    assert all((ROOT / "notebooks" / f"{name}.ipynb").is_file() for name in notebooks)


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if ":" not in target:
            assert (page.parent / target).exists(), target


def test_every_command_of_the_readme_exists() -> None:
    from wmlearn.cli.app import app

    names = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    names |= {group.name for group in app.registered_groups}
    assert set(re.findall(r"^\| `wmlearn (\w+)", _readme(), re.MULTILINE)) == names


def test_the_readme_has_one_place_for_the_papers_table_and_the_table_is_short() -> None:
    lines = _readme().splitlines()
    begin = lines.index("<!-- paper-here:begin -->")
    end = lines.index("<!-- paper-here:end -->")
    assert begin < end
    assert sum("paper-here:" in line for line in lines) == 2
    assert 0 < _rows(lines[begin:end]) <= MOST_ROWS


def _rows(lines: list[str]) -> int:
    """Count the rows of tables: what follows the line of dashes."""
    table = [line.startswith("|") for line in lines]
    dashes = [re.fullmatch(r"\|(?:\s*:?-+:?\s*\|)+", line) is not None for line in lines]
    return sum(table) - 2 * sum(dashes)  # a head, and the dashes
