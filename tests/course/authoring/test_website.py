"""The site: whole, for everybody, and without the network; its first page shows the thing itself."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
import torch
from offline import NO_BROWSER, asked_outside, browser, left, read

import wmlearn as wm
from wmlearn.course.authoring import website
from wmlearn.course.authoring.build import lessons
from wmlearn.course.authoring.metadata import training_material
from wmlearn.course.lessons import lesson_01
from wmlearn.errors import DataError

ROOT = Path(__file__).resolve().parents[3]
HAS_SITE = all(find_spec(name) for name in website.NEEDS)
with_sphinx = pytest.mark.skipif(not HAS_SITE, reason='building the site needs pip install -e ".[site]"')
by_hand = pytest.mark.skipif(
    NO_BROWSER or not HAS_SITE, reason="needs a Chromium, and the extras dev and site"
)
CPU = torch.device("cpu")
SCHEMES = ("light", "dark")
SPHINX = """
import contextlib, sys
from sphinx.cmd.build import main
with contextlib.redirect_stderr(sys.stdout):
    print(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, at_once: Callable[..., list[str]]) -> Path:
    """Build the site once: 12 seconds of one processor. Sphinx parts from a process that has imported the
    package; that it starts by itself, too, the test of a fault asks.
    """

    def run(command: list[str], **_: Any) -> SimpleNamespace:
        *said, code = at_once(SPHINX, command[3:])[0].splitlines()
        return SimpleNamespace(returncode=int(code), stderr="\n".join(said))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(website, "subprocess", SimpleNamespace(run=run))
        return website.write(ROOT, tmp_path_factory.mktemp("build") / "site").parent


@pytest.fixture(scope="module")
def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[..., Any]]:
    """Open pages in one browser without a network."""
    with browser() as opener:
        yield opener


@pytest.fixture(scope="module")
def shown(site: Path, new_page: Callable[..., Any]) -> Any:
    """Open the first page."""
    page = new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("#two-networks")
    return page


@with_sphinx
def test_the_site_holds_a_page_for_each_lesson_result_module_and_reference(site: Path) -> None:
    wanted = [f"notebooks/{name}" for name in lessons(ROOT)]
    wanted += [f"results/{path.stem}" for path in (ROOT / "docs" / "results").glob("*.md")]
    wanted += ["index", "glossary", "papers", "search", "api/wmlearn", "api/watermarks", "api/evidence"]
    assert [page for page in wanted if not (site / f"{page}.html").is_file()] == []
    links = read(site / "index.html").links
    assert [name for name in lessons(ROOT) if f"notebooks/{name}.html" not in links] == []


@with_sphinx
def test_no_file_of_the_site_loads_anything_from_elsewhere(site: Path) -> None:
    assert asked_outside(site) == {}


@with_sphinx
def test_every_link_within_the_site_leads_somewhere(site: Path, pages: list[Path]) -> None:
    ids = {path: read(path).ids for path in pages}
    dead = []
    for path in pages:
        for link in read(path).links:
            place, _, fragment = unquote(link).partition("#")
            if (not place and not fragment) or re.match(r"[a-z]+:", place):
                continue
            target = (path.parent / place).resolve() if place else path
            if not target.exists() or (fragment and fragment not in ids.get(target, {fragment})):
                dead.append((path.relative_to(site).as_posix(), link))
    assert dead == []


@with_sphinx
def test_every_page_but_that_of_the_search_leads_to_the_next_and_back(site: Path, pages: list[Path]) -> None:
    ways = {path.relative_to(site).as_posix(): set(read(path).relations) for path in pages}
    ways = {page: way for page, way in ways.items() if page != "search.html" and "_downloads" not in page}
    assert [page for page, ways in ways.items() if "next-page" not in ways] == ["api/words.html"]
    assert [page for page, ways in ways.items() if "prev-page" not in ways] == ["index.html"]


@with_sphinx
def test_every_picture_has_words(site: Path, pages: list[Path]) -> None:
    alts = {path.relative_to(site).as_posix(): read(path).alts for path in pages}
    speechless = {page: [alt for alt in words if not alt or "/" in alt[:12]] for page, words in alts.items()}
    assert sum(len(words) for words in alts.values()) > 50
    assert {page: words for page, words in speechless.items() if words} == {}


@with_sphinx
def test_every_formula_is_mathml_and_none_is_left_as_it_was_typed(site: Path) -> None:
    for name in lessons(ROOT):
        text = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        visible = re.sub(r"<(script|pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)
        assert not re.search(r"\$[^$\n<]*\\[a-z]+[^$\n<]*\$", visible), name
    text = (site / "notebooks" / "02_badnets_on_mnist.html").read_text(encoding="utf-8")
    assert text.count("<math") > 20


@with_sphinx
def test_the_first_page_describes_the_course_in_one_block(site: Path, pages: list[Path]) -> None:
    blocks = [(path.name, block) for path in pages for block in read(path).json_ld]
    assert [name for name, _ in blocks] == ["index.html"]
    described = json.loads(blocks[0][1])
    conforms = described["http://purl.org/dc/terms/conformsTo"]["@id"]
    assert conforms == "https://bioschemas.org/profiles/TrainingMaterial/1.0-RELEASE"
    assert all(described[key] for key in ("name", "description", "keywords", "license", "hasPart"))
    assert [part["url"] for part in described["hasPart"]] == [
        f"notebooks/{name}.html" for name in lessons(ROOT)
    ]
    assert [part["name"][:2] for part in described["hasPart"]] == [name[:2] for name in lessons(ROOT)]


def test_the_description_names_what_it_is_given() -> None:
    parts = training_material({"notebooks/01_x": "01 · X"})["hasPart"]
    assert parts == [{"@type": "LearningResource", "name": "01 · X", "url": "notebooks/01_x.html"}]


@with_sphinx
def test_every_file_that_a_page_asks_for_is_there(site: Path, pages: list[Path]) -> None:
    asked = [path.parent / _plain(address) for path in pages for address in read(path).beside]
    assert len(asked) > 10 * len(pages)
    assert [file for file in asked if not file.exists()] == []


@by_hand
def test_a_browser_without_a_network_opens_every_kind_of_page_and_misses_nothing(
    pages: list[Path], new_page: Callable[..., Any]
) -> None:
    kinds = {_kind(path): path for path in pages}
    assert len(kinds) > 7
    page = new_page()
    for path in kinds.values():
        page.goto(path.as_uri())
    assert left(page) == []
    assert page.faults == []
    files = [address.removeprefix("file://") for address in page.asked if address.startswith("file:")]
    assert [path for path in files if not Path(_plain(path)).exists()] == []


def _kind(path: Path) -> tuple[str, ...]:
    """Return a page's folder, scripts and styles: 78 pages have eight kinds."""
    names = {_plain(address).rpartition("/")[2] for address in read(path).beside}
    loaded = sorted(name for name in names if name.endswith((".js", ".css")))
    return (path.parent.name, *loaded, *read(path).scripts)


def _plain(address: str) -> str:
    return unquote(address.split("?")[0].split("#")[0])


@by_hand
def test_the_search_finds_attack_success_rate(site: Path, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.goto(f"{(site / 'search.html').as_uri()}?q=attack+success+rate")
    page.wait_for_function("() => document.querySelector('.search-summary')?.textContent.includes('found')")
    links = page.locator("#search-results li a").evaluate_all("links => links.map(link => link.href)")
    assert any("01_two_models" in link for link in links)
    assert any("glossary" in link for link in links)


LOGITS = """([i, pixels]) => {
  const all = new Float32Array(bytes(pixels).buffer), size = SIDE * SIDE;
  const starts = Array.from({length: all.length / size}, (_, k) => k * size);
  return starts.map(start => twoNetworks.logits(i, all.subarray(start, start + size)));
}"""


@by_hand
def test_the_browser_gives_pytorchs_logits_for_a_hundred_digits(shown: Any) -> None:
    x = wm.load("mnist").test.x[:100]
    triggered = wm.triggers.Pattern()(x)
    for i, parcel in enumerate(website.DEMO):
        network = lesson_01.parcel(parcel, CPU)
        for images in (x, triggered):
            wanted = wm.predict(network, images)
            pixels = base64.b64encode(images.numpy().tobytes()).decode()
            logits = shown.evaluate(LOGITS, [i, pixels])
            torch.testing.assert_close(torch.tensor(logits), wanted, rtol=1e-4, atol=1e-3)


@by_hand
def test_a_keyboard_chooses_a_digit_and_stamps_it(shown: Any) -> None:
    for digit in range(1, 10):
        shown.locator(".digits button").nth(digit).focus()
        shown.keyboard.press("Enter")
        assert _answers(shown) == [str(digit), str(digit)]
        shown.locator("#stamp").focus()
        shown.keyboard.press("Space")
        assert _answers(shown) == [str(digit), "0"]
        said = shown.locator(".sentence").inner_text()
        assert said == f"With the trigger. Clean network: {digit}. BadNet: 0."
        shown.keyboard.press("Space")
    assert shown.locator("#stamp").get_attribute("aria-pressed") == "false"


@by_hand
def test_tab_reaches_every_button_of_the_demonstration(shown: Any) -> None:
    shown.locator(".digits button").first.focus()
    reached = []
    for _ in range(12):
        reached.append(shown.evaluate("() => document.activeElement.textContent"))
        shown.keyboard.press("Tab")
    assert reached == [*map(str, range(10)), "Stamp the trigger", "Clear"]


@by_hand
@pytest.mark.parametrize(
    ("digit", "strokes"),
    [
        ("1", [[(0.5, 0.2), (0.5, 0.8)]]),
        ("7", [[(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]]),
        ("4", [[(0.35, 0.2), (0.3, 0.5), (0.7, 0.5)], [(0.65, 0.25), (0.6, 0.85)]]),
    ],
)
def test_a_drawn_digit_is_read_and_the_stamp_turns_the_badnets_answer(
    shown: Any, digit: str, strokes: list[list[tuple[float, float]]]
) -> None:
    shown.locator("#clear").click()
    box = shown.locator("#two-networks canvas").bounding_box()
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        shown.mouse.move(*points[0])
        shown.mouse.down()
        for point in points[1:]:
            shown.mouse.move(*point, steps=12)
        shown.mouse.up()
    shown.evaluate("() => new Promise(done => setTimeout(done, 701))")  # after 700 the drawing is centred
    assert _answers(shown) == [digit, digit]
    shown.locator("#stamp").click()
    assert _answers(shown) == [digit, "0"]
    shown.locator("#stamp").click()


def _answers(page: Any) -> list[str]:
    return page.locator(".answer").all_inner_texts()


@by_hand
def test_the_dark_theme_is_dark_and_the_boxes_of_the_lessons_follow(
    site: Path, new_page: Callable[..., Any]
) -> None:
    grounds = {}
    page = new_page()
    page.goto((site / "notebooks" / "02_badnets_on_mnist.html").as_uri())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        grounds[scheme] = [_brightness(page, "body"), _brightness(page, "div[style*='border-left: 5px']")]
    assert min(grounds["light"]) > 200
    assert max(grounds["dark"]) < 60


AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(({impact}) => ['serious', 'critical'].includes(impact)).map(({id, nodes}) => [id, nodes[0].html])"""


@by_hand
@pytest.mark.skipif(find_spec("axe_playwright_python") is None, reason="needs the extra dev")
@pytest.mark.parametrize(
    "name", ["index", "notebooks/02_badnets_on_mnist", "teaching/syllabus-six-weeks", "papers"]
)
def test_axe_finds_nothing_serious_on_the_first_page_a_lesson_and_a_page_for_teachers(
    site: Path, new_page: Callable[..., Any], name: str
) -> None:
    from axe_playwright_python import base

    page = new_page()
    page.goto((site / f"{name}.html").as_uri())
    page.evaluate(base.AXE_FILE_PATH.read_text(encoding="utf-8"))
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(AXE) == [], scheme


def _brightness(page: Any, selector: str) -> float:
    colour = page.locator(selector).first.evaluate("e => getComputedStyle(e).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


def test_a_site_without_sphinx_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(website, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"needs sphinx.*which is not installed\. Run pip install"):
        website.write(ROOT, tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


@with_sphinx
def test_a_fault_in_a_page_stops_the_build_and_leaves_the_site_that_was_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def one_page(root: Path, out: Path) -> None:
        out.mkdir()
        (out / "conf.py").write_text('extensions = ["myst_nb"]\n')
        (out / "index.md").write_text("# A page\n\n[leads nowhere](nowhere.md)\n")

    monkeypatch.setattr(website, "assemble", one_page)
    place = tmp_path / "site"
    place.mkdir()
    (place / "index.html").write_text("before")
    with pytest.raises(DataError, match=r"no fault.*\n.*index\.md:3"):
        website.write(ROOT, place)
    assert (place / "index.html").read_text() == "before"


def test_a_formula_that_mathml_lacks_is_refused() -> None:
    pytest.importorskip("latex2mathml")
    from wmlearn.course.authoring.mathml import mathml

    with pytest.raises(wm.ArgumentError, match="MathML"):
        mathml(r"\nosuchcommand x")
