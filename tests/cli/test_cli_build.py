"""`wmlearn build --for …`: what is built, where it lies, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wmlearn.cli import build as command
from wmlearn.cli.app import app
from wmlearn.course.authoring import slides, website
from wmlearn.course.authoring.build import lessons
from wmlearn.errors import ArgumentError, DataError

ROOT = Path(__file__).resolve().parents[2]


def test_the_site_has_all_lessons_or_none() -> None:
    done = CliRunner().invoke(app, ["build", "01", "--for", "site"])
    assert isinstance(done.exception, ArgumentError)
    assert "the site must have all notebooks, got '01'" in str(done.exception)


def test_a_lesson_that_is_not_there_is_refused_by_the_list_of_those_that_are() -> None:
    done = CliRunner().invoke(app, ["build", "99", "--for", "slides"])
    assert isinstance(done.exception, ArgumentError)
    assert lessons(ROOT)[0] in str(done.exception)


def test_the_site_and_the_slides_lie_below_build(monkeypatch: pytest.MonkeyPatch) -> None:
    def site(root: Path, place: Path) -> Path:
        return place / "index.html"

    def decks(root: Path, place: Path, names: Sequence[str]) -> Path:
        assert names == lessons(ROOT)[:1]
        return place / "index.html"

    monkeypatch.setattr(website, "write", site)
    monkeypatch.setattr(slides, "write", decks)
    assert "build/site/index.html" in CliRunner().invoke(app, ["build", "--for", "site"]).output
    assert "build/slides/index.html" in CliRunner().invoke(app, ["build", "01", "--for", "slides"]).output


def test_a_missing_package_is_named_with_the_extra_that_brings_it() -> None:
    says = r"needs jupytext, which is not installed.*\.\[site\]"
    with pytest.raises(DataError, match=says), command._needing("site"):
        raise ModuleNotFoundError(name="jupytext")


def test_a_folder_without_notebooks_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command.files, "ROOT", tmp_path / "data")
    done = CliRunner().invoke(app, ["build", "--for", "site"])
    assert isinstance(done.exception, DataError)
    assert "must hold the folder notebooks" in str(done.exception)
