"""Slides and the handout: every lesson has a deck that fits the screen, and none needs the network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from offline import NO_BROWSER, asked_outside, browser, left, read

from wmlearn.course.authoring import slides
from wmlearn.course.authoring.build import lessons
from wmlearn.errors import DataError

ROOT = Path(__file__).resolve().parents[3]
NAMES = lessons(ROOT)
HAS_SITE = all(find_spec(name) for name in slides.NEEDS)
with_reveal = pytest.mark.skipif(not HAS_SITE, reason='slides need pip install -e ".[site]"')
by_hand = pytest.mark.skipif(NO_BROWSER or not HAS_SITE, reason="needs Chromium, and the extras dev and site")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slides.write(ROOT, tmp_path_factory.mktemp("build") / "slides").parent


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[..., Any]]:
    with browser() as opener:
        yield opener


@with_reveal
def test_every_lesson_has_a_deck_and_the_index_lists_it_and_the_handout(folder: Path) -> None:
    links = read(folder / "index.html").links
    assert links == [*(f"{name}.html" for name in NAMES), "handout.html"]
    assert all((folder / link).is_file() for link in links)


@with_reveal
def test_no_file_of_the_slides_loads_anything_from_elsewhere_and_reveal_lies_there_once(folder: Path) -> None:
    assert asked_outside(folder) == {}
    assert [path.parent.name for path in folder.rglob("reveal.js")] == ["shared"]
    assert "reveal.js contributors" in (folder / "shared" / "LICENSE").read_text()


@with_reveal
@pytest.mark.parametrize("name", NAMES)
def test_a_deck_has_pictures_with_words_exercises_guesses_and_no_other_code_and_no_answers(
    folder: Path, name: str
) -> None:
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    seen = re.sub(r'<aside class="notes">.*?</aside>', "", text, flags=re.DOTALL)
    book = slides.executed(name, ROOT)
    stubs = [cell.source for cell in book.cells if slides.tagged(cell, "exercise")]
    assert seen.count("<pre><code>") == seen.count("raise NotImplementedError") == len(stubs) > 0
    alts = read(folder / f"{name}.html").alts
    assert alts
    assert all(alts)
    assert "<details" not in seen
    assert "Not started yet" not in seen
    assert "BEGIN SOLUTION" not in text
    assert not re.search(r"\{(?:value|claim|quiz):", text)


@with_reveal
@pytest.mark.parametrize("name", NAMES)
def test_the_speakers_notes_of_the_first_slide_are_the_teachers_cells(folder: Path, name: str) -> None:
    text = (folder / f"{name}.html").read_text(encoding="utf-8")
    first = text.split('<aside class="notes">')[1].split("</aside>")[0]
    assert "For the teacher" in first
    assert "<em>Aim:</em>" in first


@by_hand
def test_a_browser_without_a_network_shows_every_slide_and_none_runs_out_of_the_screen(
    folder: Path, new_page: Callable[..., Any]
) -> None:
    page = new_page()
    page.set_viewport_size({"width": 1280, "height": 720})
    spilt = {}
    for name in NAMES:
        page.goto((folder / f"{name}.html").as_uri())
        page.wait_for_function("() => globalThis.Reveal?.isReady()")
        spilt[name] = page.evaluate(SPILT)
    assert spilt == {name: [] for name in NAMES}
    assert left(page) == []
    assert page.faults == []


SPILT = """() => Array.from({length: Reveal.getTotalSlides()}, (_, i) => {
  const slide = Reveal.getCurrentSlide();
  Reveal.next();
  return [i + 1, slide.scrollHeight - slide.clientHeight, slide.scrollWidth - slide.clientWidth];
}).filter(([i, down, across]) => down > 2 || across > 2)"""


@by_hand
def test_arrow_keys_and_space_move_through_a_deck(folder: Path, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.goto((folder / f"{NAMES[0]}.html").as_uri())
    page.wait_for_function("() => globalThis.Reveal?.isReady()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices().h") == 1
    page.keyboard.press("Space")
    assert page.evaluate("Reveal.getIndices().v") == 1


@by_hand
def test_the_handout_prints_a_page_for_each_lesson(folder: Path, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.goto((folder / "handout.html").as_uri())
    sheets = re.findall(rb"/Type /Page\b(?!s)", page.pdf(prefer_css_page_size=True))
    assert len(sheets) == len(NAMES)


@with_reveal
def test_one_deck_can_be_built_alone(tmp_path: Path) -> None:
    slides.write(ROOT, tmp_path / "slides", NAMES[:1])
    assert [path.name for path in tmp_path.glob("slides/[0-9]*.html")] == [f"{NAMES[0]}.html"]


@with_reveal
def test_links_within_the_notebook_become_words_and_formulas_become_mathml() -> None:
    html = slides.markdown("See [exercise 02.1](#A-place), [a paper](https://example.org/p), $x^2$.")
    assert "See exercise 02.1, " in html
    assert '<a href="https://example.org/p">' in html
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html


def test_slides_without_their_extra_are_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(slides, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"Slides need markdown_it.*Run pip install"):
        slides.write(ROOT, tmp_path / "slides")
    assert list(tmp_path.iterdir()) == []
