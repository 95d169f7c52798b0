"""A notebook leads to its neighbours, and its cells keep their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbformat import NotebookNode

import wmlearn as wm
from wmlearn.course.authoring.build import build, links, masters, unrun

ROOT = Path(__file__).resolve().parents[3]
COURSE = "[The course](../README.md#the-course)"
TITLES = {"01_first": "01 · First", "02_second": "02 · Second", "03_third": "03 · Third"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project of three masters."""
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)
    for name, title in TITLES.items():
        text = f"# %% [markdown]\n# # {title}\n#\n# ## A part\n\n# %%\n1 + 1\n"
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def _book(name: str, root: Path) -> NotebookNode:
    return unrun(name, root, NotebookNode(cells=[]))


def test_the_links_lead_to_the_notebook_before_to_the_course_and_to_the_notebook_after(project: Path) -> None:
    before, after = "← [01 · First](01_first.ipynb)", "[03 · Third](03_third.ipynb) →"
    assert links("02_second", project) == f"{before} &emsp; {COURSE} &emsp; {after}"


def test_the_first_notebook_has_none_before_it_and_the_last_none_after(project: Path) -> None:
    assert links("01_first", project) == f"{COURSE} &emsp; [02 · Second](02_second.ipynb) →"
    assert links("03_third", project) == f"← [02 · Second](02_second.ipynb) &emsp; {COURSE}"


def test_a_notebook_alone_leads_to_the_course_only(project: Path) -> None:
    for name in ("01_first", "03_third"):
        (project / "notebooks" / "source" / f"{name}.py").unlink()
    assert links("02_second", project) == COURSE


def test_the_links_stand_at_both_ends_of_a_notebook(project: Path) -> None:
    first, title, *_, last = _book("02_second", project).cells
    assert first.source == last.source == links("02_second", project)
    assert first.cell_type == last.cell_type == "markdown"
    assert first.id != last.id
    assert title.source.startswith("# 02 · Second")


def test_a_neighbours_new_title_changes_the_links_and_no_other_cell(project: Path) -> None:
    before = _book("02_second", project).cells
    master = project / "notebooks" / "source" / "01_first.py"
    master.write_text(master.read_text(encoding="utf-8").replace("First", "One"), encoding="utf-8")
    after = _book("02_second", project).cells
    assert "[01 · One](01_first.ipynb)" in after[0].source
    assert before[1:-1] == after[1:-1]


def test_a_master_without_a_title_is_named(project: Path) -> None:
    (project / "notebooks" / "source" / "01_first.py").write_text("# %%\n1 + 1\n", encoding="utf-8")
    with pytest.raises(wm.ArgumentError, match="a master must begin with a heading"):
        links("02_second", project)


def test_an_unknown_notebook_is_answered_with_the_known_ones(project: Path) -> None:
    with pytest.raises(wm.ArgumentError, match="the notebook must be one of 01_first, 02_second, 03_third"):
        build("04_fourth", project)


@pytest.mark.parametrize("name", masters(ROOT))
def test_every_link_of_the_course_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", links(name, ROOT))
    assert "../README.md#the-course" in targets
    for target in set(targets) - {"../README.md#the-course"}:
        assert (ROOT / "notebooks" / target).exists(), target


def test_the_readme_has_the_map_of_the_course_where_the_links_lead() -> None:
    assert "\n## The course\n" in (ROOT / "README.md").read_text(encoding="utf-8")
