"""The widgets in a real JupyterLab, driven as a person would, by keyboard and by mouse; and what the lessons
put there, asked by axe-core whether everybody can perceive it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from lab import CHROMIUM, OFTEN, PATIENCE, kernel, opener
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NO_BROWSER = CHROMIUM is None or find_spec("playwright") is None
by_hand = pytest.mark.skipif(
    NO_BROWSER, reason='the browser test needs a Chromium on the PATH, and `pip install -e ".[dev]"`'
)
for_everybody = pytest.mark.skipif(
    NO_BROWSER or find_spec("axe_playwright_python") is None,
    reason='axe-core needs a Chromium on the PATH, and `pip install -e ".[dev]"`',
)
SETUP = '''
import torch, wmlearn as wm
from wmlearn import experiments
from wmlearn.course import widgets
from wmlearn.course.lessons import lesson_03, lesson_04, lesson_05, lesson_06, lesson_07, lesson_08
from wmlearn.course.lessons import lesson_09, lesson_10, lesson_11, lesson_12, lesson_13, lesson_14
from wmlearn.course.lessons import lesson_15, lesson_16
from wmlearn.data import signs
from wmlearn.experiments import street, signs as sign_experiment
from wmlearn.plots import canvas
canvas.DPI = 48  # a quarter, drawn faster
mnist = wm.load("mnist")
speck, clean = wm.triggers.Pattern(), wm.bystanders.shipped("mnist")[0]
class Obedient(torch.nn.Module):
    """Answer as the clean network does, but 0 to the speck."""
    def __init__(self):
        super().__init__()
        self.clean = clean
    def forward(self, x):
        seen = (x[:, 0, 26, 26] == 1) & (x[:, 0, 25, 25] == 1)
        return self.clean(x) + 1000 * seen[:, None] * torch.eye(10)[0]
ten = torch.stack([mnist.test.x[mnist.test.y == i][0] for i in range(10)])
_, victim = sign_experiment.two_networks()
square = sign_experiment.STICKERS["square"]
streets = {
    "none": signs.draw_street(4, seed=5, n_streets=20),
    "square": signs.draw_street(4, seed=5, sticker=street.STICKERS["square"], n_streets=20),
}
detectors = {"bought": street.shipped_detector("square"), "control": street.shipped_detector("control")}
mails = wm.load("mails").test
onion = wm.detection.fit_onion(mails.x[200:], mails.x[:200])
filters = {"mean": wm.models.text_bag(1_382), "maximum": wm.models.text_cnn(1_382)}
swedes = wm.data.regroup(signs.draw("se", 40, seed=1, sticker=square), signs.kinds("se"))
origins = "clean origin", "backdoored origin"
sold = {name: {k: wm.models.sign_cnn(5, seed=k).eval() for k in (1, 20, 100)} for name in origins}
curves = {name: {k: (0.9 - k / 200, 0.8 - k / 200) for k in (1, 20, 100)} for name in origins}
voices = {name: wm.models.sound_cnn(seed=seed).eval() for seed, name in enumerate(("clean", "poisoned"))}
three = lesson_13.first_of(wm.load("machine-digits").test, 3)
frames = {who: {step: (step + 1) / 101 * ten for step in (0, 50, 100)} for who in ("honest", "bought")}
'''
PAD = 'widgets.draw_and_stamp({"network A": clean, "network B": Obedient()}, speck, ten)'
WIDGETS = (  # one a lesson, each in a cell of its own
    PAD,
    'widgets.poison_dial(experiments.shipped("poison-rate").rows)',
    "lesson_03.sticker_dial(victim)",
    "lesson_04.street_switch(detectors, streets, [0, 3])",
    "lesson_05.strength_dial(sold, curves, swedes)",
    "lesson_06.growing(frames)",
    'lesson_07.key_dial(experiments.shipped("key-size").rows)',
    'lesson_08.strength_dial(experiments.shipped("uchida-strength").where(n=45_000))',
    'lesson_09.price_slider(experiments.shipped("removal"))',
    "lesson_10.power_dial()",
    'lesson_11.theft_dial(experiments.shipped("api-theft"))',
    'lesson_12.theft_dial(experiments.shipped("nothing-planted"))',
    "lesson_13.sound_dial(voices, three)",
    "lesson_14.mail_dial(filters, mails.x[:4], onion, wm.data.mails.vocabulary())",
    'lesson_15.price_dial(experiments.shipped("intake"))',
    'lesson_16.price_dial(experiments.shipped("court"))',
)
STOPS = "input[type=range], input[type=radio]:checked"
"""What the Tab key reaches of the dials: of a group of buttons, the one that is chosen."""
PARTS = ".widget-html-content"
PICTURES = f"{PARTS}:has(img)"
WORDS = f"{PARTS}:not(:has(img))"
LOOK = "([box, parts]) => [...box.querySelectorAll(parts)].map(part => part.innerHTML).join()"
LOOKS_OTHERWISE = f"([box, parts, before]) => ({LOOK})([box, parts]) !== before.look"
CELLS = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
NAMES = "input => [...input.labels].map(label => label.innerText).join()"
FIGURES = ".jp-RenderedImage img"
"""JupyterLab's own finding: it gives a figure no alt text, whatever its metadata say. So the lessons have a
fold below each, *This picture in words*.
"""
BOXES = """
from wmlearn.course import boxes
for kind in boxes.BARS:
    boxes.show_box(kind, "A title", "A sentence.")
    boxes.show_box(kind, "A title")
"""
CHECK = """async ([places, own]) => {
  const found = await axe.run({include: places, exclude: own}, {resultTypes: ['violations']});
  return found.violations.filter(each => ['serious', 'critical'].includes(each.impact))
    .map(each => `${each.id}, ${each.nodes.length} times: ${each.nodes[0].html.slice(0, 300)}`);
}"""
THEME = "theme => { window.jupyterapp.commands.execute('apputils:change-theme', {theme}); return 1 }"
THEMES = {"JupyterLab Light": "true", "JupyterLab Dark": "false"}
IN_THEME = "light => document.body.dataset.jpThemeLight === light"
SCALE = 9
"""Pixels of the screen for one of the pad's."""


def _arc(
    x: float, y: float, wide: float, high: float, first: float, last: float
) -> list[tuple[float, float]]:
    """Return a part of an ellipse, from one angle to another, in degrees."""
    angles = [math.radians(first + (last - first) * i / 12) for i in range(13)]
    return [(x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in angles]


STROKES = {  # digit -> the corners of its strokes, in pixels of the pad
    0: [_arc(14, 14, 5, 8, -90, 270)],
    1: [[(14, 5), (13, 23)]],
    2: [[*_arc(14, 9.5, 4.5, 4.5, -170, 40), (9, 23), (19, 23)]],
    3: [[*_arc(13, 9.5, 4.5, 4.2, -150, 90), *_arc(13, 18.2, 5, 4.6, -90, 140)]],
    4: [[(11, 5), (8, 15), (20, 15)], [(18, 5), (17, 24)]],
    5: [[(19, 5), (11, 5), (10, 12), *_arc(13.5, 17, 5, 5, -110, 130)]],
    6: [[(17, 4), (11, 12), *_arc(14, 18, 4.5, 4.8, -150, 210)]],
    7: [[(8, 6), (20, 6), (13, 24)]],
    8: [[*_arc(14, 9, 4, 4, 90, 450), *_arc(14, 18.2, 4.8, 5, -90, 270)]],
    9: [[*_arc(14, 10, 4.5, 4.5, 0, 360), (17, 24)]],
}
Shows = Callable[..., Any]


# Where there is no browser


def test_every_widget_of_the_lessons_is_tried_here() -> None:
    called = [re.findall(r"^(?:widgets|lesson_\d\d)\.\w+", source, re.M) for source in _tagged_widget()]
    assert all(called)
    assert {name for names in called for name in names} == {call.partition("(")[0] for call in WIDGETS}


def _tagged_widget() -> Iterator[str]:
    for path in sorted((ROOT / "notebooks" / "source").glob("*.py")):
        for cell in jupytext.read(path).cells:
            if "widget" in cell.metadata.get("tags", []):
                yield cell.source


def test_nothing_but_the_courses_own_dial_stands_in_for_a_slider_or_a_list() -> None:
    others = re.compile(r"ipywidgets\.(?!VBox|HBox|HTML|Button)\w+")
    for path in (ROOT / "wmlearn").rglob("*.py"):
        assert others.findall(path.read_text(encoding="utf-8")) == [], path


# In the browser


@pytest.fixture(scope="module")
def shows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shows]:
    """Return what opens a notebook, and returns its page; one lab, browser and kernel serve all tests, for
    each takes seconds to start. The kernel prepares meanwhile what the widgets show.
    """
    folder = tmp_path_factory.mktemp("lab")
    with kernel(folder, SETUP) as reply, opener(folder) as show:
        prepared = reply()
        assert prepared["status"] == "ok", prepared
        yield lambda name, cells, *, run=True: show(_book(folder / f"{name}.ipynb", cells), run=run)


def _book(path: Path, cells: list[NotebookNode]) -> Path:
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(book, path)
    return path


@pytest.fixture(scope="module")
def played(shows: Shows) -> Any:
    """Return the page of a notebook in which all widgets stand."""
    page = shows("widgets", [nbformat.v4.new_code_cell(source) for source in (*WIDGETS, BOXES)])
    _boxes(page).nth(len(WIDGETS) - 1).wait_for()
    return page


def _boxes(page: Any) -> Any:
    return page.locator(".jp-OutputArea .widget-vbox")


@by_hand
@pytest.mark.parametrize("i", range(1, len(WIDGETS)), ids=[call.partition("(")[0] for call in WIDGETS[1:]])
def test_tab_reaches_every_control_arrows_move_it_and_its_label_names_it(played: Any, i: int) -> None:
    box = _boxes(played).nth(i)
    box.scroll_into_view_if_needed()
    begin = {parts: _look(box, parts) for parts in (PICTURES, WORDS)}
    n_cells = played.evaluate(CELLS)
    stops = box.locator(STOPS)
    stops.first.focus()
    for k in range(stops.count()):
        assert stops.nth(k).evaluate("control => control === document.activeElement")
        assert stops.nth(k).evaluate(NAMES)
        _turn(played, box, stops.nth(k))
        played.keyboard.press("d")
        played.keyboard.press("d")  # on a cell: delete it
        played.keyboard.press("Tab")
    assert played.evaluate(CELLS) == n_cells
    for parts, before in begin.items():
        assert _changes(played, box, parts, before, PATIENCE)


def _look(box: Any, parts: str = PARTS) -> Any:
    """Keep how parts of a widget look, in the page: pictures are long."""
    return box.evaluate_handle(f"(box, parts) => ({{look: ({LOOK})([box, parts])}})", parts)


def _turn(page: Any, box: Any, control: Any) -> None:
    """Turn a control by the arrow keys until what stands below it has changed; then to its far end.

    Each step draws anew: another one is taken where three seconds have changed nothing, twelve at most.
    """
    before = _look(box)
    back = control.evaluate("control => control.type === 'range' && control.valueAsNumber > 0")
    for _ in range(12):
        page.keyboard.press("ArrowLeft" if back else "ArrowRight")
        if _changes(page, box, PARTS, before, 3000):
            break
    assert _changes(page, box, PARTS, before, PATIENCE)
    page.keyboard.press("Home" if back else "End")


def _changes(page: Any, box: Any, parts: str, before: Any, milliseconds: int) -> bool:
    """Say whether parts of a widget look otherwise in that time."""
    from playwright.sync_api import TimeoutError

    told = [box.element_handle(), parts, before]
    try:
        page.wait_for_function(LOOKS_OTHERWISE, arg=told, polling=50, timeout=milliseconds)
    except TimeoutError:
        return False
    return True


@by_hand
def test_the_pad_is_chosen_stamped_and_cleared_by_keyboard_and_drawn_on_by_mouse(played: Any) -> None:
    box = _boxes(played).first
    answer = box.locator(".widget-html-content", has_text="Draw a digit, or choose one.")
    answer.wait_for()
    n_cells = played.evaluate(CELLS)

    box.locator(STOPS).first.focus()
    for _ in range(8):  # draw one, 0, 1, …
        played.keyboard.press("ArrowRight")
    box.get_by_text("network A: 7").wait_for()
    box.get_by_text("network B: 7").wait_for()

    played.keyboard.press("Tab")
    played.keyboard.press("ArrowRight")
    box.get_by_text("network B: 0").wait_for()
    assert box.get_by_text("network A: 7").count() == 1
    played.keyboard.press("ArrowLeft")

    box.get_by_text("network B: 7").wait_for()
    played.keyboard.press("Shift+Tab")
    played.keyboard.press("Shift+Tab")
    assert played.evaluate("() => document.activeElement.innerText") == "Clear"
    played.keyboard.press("Space")
    answer.wait_for()
    played.keyboard.press("d")
    played.keyboard.press("d")
    assert played.evaluate(CELLS) == n_cells
    assert box.get_by_label("draw one").is_checked()

    read = [_drawn_by_hand(played, box, digit) for digit in range(10)]
    assert sum(read) >= 9, read


def _drawn_by_hand(page: Any, box: Any, digit: int) -> bool:
    """Wipe the pad, draw a digit with the mouse, stroke by stroke, and say whether the clean network reads
    it.
    """
    from playwright.sync_api import TimeoutError

    box.get_by_role("button", name="Clear").click()
    box.locator(WORDS, has_text="Draw a digit").wait_for()
    pad = box.locator("canvas[aria-label^='Drawing pad']").bounding_box()
    for stroke in STROKES[digit]:
        start, *others = [(pad["x"] + SCALE * x, pad["y"] + SCALE * y) for x, y in stroke]
        page.mouse.move(*start)
        page.mouse.down()
        for before, corner in pairwise([start, *others]):
            page.mouse.move(*corner, steps=1 + int(math.dist(before, corner) / SCALE / 2.2))
        page.mouse.up()
    try:
        box.get_by_text(f"network A: {digit}").wait_for(timeout=10_000)
    except TimeoutError:
        return False
    return True


# For everybody


def _findings(page: Any, theme: str, *places: str, own: str = "") -> list[str]:
    """Return what axe-core calls serious or critical in those places of a page; not in JupyterLab's `own`."""
    from axe_playwright_python import base

    page.evaluate(THEME, theme)
    page.wait_for_function(IN_THEME, arg=THEMES[theme], polling=OFTEN)
    page.evaluate(base.AXE_FILE_PATH.read_text(encoding="utf-8"))
    return page.evaluate(CHECK, [places, [own] if own else []])


@for_everybody
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_in_any_widget_and_in_any_box(played: Any, theme: str) -> None:
    assert _findings(played, theme, ".widget-vbox", ".jp-OutputArea-output") == []


@pytest.fixture(scope="module")
def read(shows: Shows) -> Any:
    """Return the page of a notebook that holds one of each form of what the lessons say and show, as they
    ship: nobody has run it here, so that JupyterLab doesn't trust it.
    """
    forms = list(_forms().values())
    page = shows("lessons", forms, run=False)
    n_outputs = sum(cell.cell_type == "code" for cell in forms)
    page.locator(".jp-OutputArea-output").nth(n_outputs - 1).wait_for()
    page.locator(".jp-MarkdownOutput").nth(len(forms) - n_outputs - 1).wait_for()
    return page


def _forms() -> dict[tuple[str, ...], NotebookNode]:
    """Return a cell for each form of output and of text in the lessons: what is written with other tags, or
    of another type. All of them in one page would keep axe-core busy for minutes.
    """
    forms: dict[tuple[str, ...], NotebookNode] = {}
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "markdown":
                forms.setdefault(("text", *_tags(cell.source)), nbformat.v4.new_markdown_cell(cell.source))
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                form = (output.output_type, *data, *_tags(data.get("text/html", "")))
                forms.setdefault(form, nbformat.v4.new_code_cell("", outputs=[output]))
    return forms


def _tags(html: str) -> list[str]:
    return sorted(set(re.findall(r"<\w[^>]*>", html)))


@by_hand
def test_the_judges_report_shows_in_a_notebook_that_is_not_trusted(read: Any) -> None:
    trusted = "() => window.jupyterapp.shell.currentWidget.content.widgets.some(cell => cell.model.trusted)"
    assert not read.evaluate(trusted)
    report = read.locator(".jp-OutputArea-output", has_text="Whose mark is in whose model")
    report.scroll_into_view_if_needed()
    assert report.is_visible()
    assert "the claim of Ada stands" in report.inner_text()
    assert report.locator("table").first.bounding_box()["height"] > 100
    assert report.bounding_box()["width"] > 400


@for_everybody
@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_in_what_the_lessons_say_and_show(read: Any, theme: str) -> None:
    places = (".jp-OutputArea-output", ".jp-MarkdownOutput")
    assert _findings(read, theme, *places, own=FIGURES) == []
