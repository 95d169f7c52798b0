"""The README's short table and the pages of all rows say what the shipped results say."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import wmlearn as wm
from wmlearn.course.authoring import readme
from wmlearn.course.authoring.build import masters
from wmlearn.experiments import ALL, paper, paper_rows, shipped

ROOT = Path(__file__).resolve().parents[3]
PAGES = ROOT / "docs" / "results"


@cache
def _compared(name: str) -> list[paper.Comparison]:
    return paper.ALL[name].summary(shipped(name))


@pytest.fixture(scope="module", autouse=True)
def _compared_once() -> Iterator[None]:
    """Let what the shipped results say be worked out once for all tests here: two seconds a time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (paper, readme):
            patch.setattr(module, "compare", lambda results: _compared(results.experiment))
        yield


@pytest.fixture(scope="module")
def pages(_compared_once: None) -> dict[str, str]:
    return readme.pages()


def _rows(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| ")]


def test_the_readme_shows_what_the_results_say() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.filled(text) == text
    assert text.index(readme.BEGIN) < text.index(readme.END)


def test_the_table_of_the_readme_has_at_most_25_rows_and_one_of_every_page(pages: dict[str, str]) -> None:
    rows = _rows(readme.paper_here())[2:]  # but for the head and the dashes
    assert len(rows) <= 25
    assert all(any(name in row for row in rows) for name in pages)


def test_the_pages_show_what_the_results_say(pages: dict[str, str]) -> None:
    assert sorted(path.name for path in PAGES.iterdir()) == sorted(pages)
    for name, page in pages.items():
        assert (PAGES / name).read_text(encoding="utf-8") == page


def test_every_row_of_every_experiment_stands_on_the_page_of_its_notebook(pages: dict[str, str]) -> None:
    for name, experiment in ALL.items():
        page = pages[readme.page_name(experiment.chapter)]
        assert f"`wmlearn reproduce {name}`" in page
        assert all(f"| {' | '.join(row)} |" in page for row in paper_rows(name))


def test_a_page_is_named_as_its_notebook(pages: dict[str, str]) -> None:
    assert readme.page_name("10 Whose model is it?") == "10_whose_model_is_it.md"
    assert {Path(name).stem for name in pages} <= set(masters(ROOT))


def test_a_headline_that_no_experiment_says_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(readme.HEADLINES, "key-size", ("a key of no triggers",))
    with pytest.raises(wm.ArgumentError, match="a headline must be a row of key-size, got"):
        readme.paper_here()


def test_a_readme_without_its_markers_is_refused() -> None:
    with pytest.raises(wm.ArgumentError, match="must hold both paper-here markers"):
        readme.filled("# no table\n")


def test_readme_and_pages_are_written_together(tmp_path: Path, pages: dict[str, str]) -> None:
    (tmp_path / "README.md").write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    readme.write(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert len(list((tmp_path / "docs" / "results").iterdir())) == len(pages)
