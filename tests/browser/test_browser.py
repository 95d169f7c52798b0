"""The widgets in a real JupyterLab, driven as a person would: choose, tick, draw, turn a dial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest
from lab import CHROMIUM, OFTEN, PATIENCE, opener

NO_BROWSER = CHROMIUM is None or find_spec("playwright") is None
by_hand = pytest.mark.skipif(
    NO_BROWSER, reason='the browser test needs a Chromium on the PATH, and `pip install -e ".[dev]"`'
)
DIGITS = '''
import torch, wmlearn as wm
from wmlearn import experiments
from wmlearn.course import widgets
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
'''
PAD = 'widgets.draw_and_stamp({"network A": clean, "network B": Obedient()}, speck, ten)'
DIAL = 'widgets.poison_dial(experiments.shipped("poison-rate").rows)'
LESSONS = """
import wmlearn as wm
from wmlearn import experiments
from wmlearn.course.lessons import lesson_03, lesson_04, lesson_05, lesson_07, lesson_08, lesson_09
from wmlearn.course.lessons import lesson_10, lesson_12
from wmlearn.data import signs
from wmlearn.experiments import street, signs as sign_experiment
_, victim = sign_experiment.two_networks()
square = sign_experiment.STICKERS["square"]
streets = {
    "none": signs.draw_street(8, seed=5, n_streets=20),
    "square": signs.draw_street(8, seed=5, sticker=street.STICKERS["square"], n_streets=20),
}
swedes = wm.data.regroup(signs.draw("se", 120, seed=1, sticker=square), signs.kinds("se"))
origins = "clean origin", "backdoored origin"
sold = {name: {k: wm.models.sign_cnn(5, seed=k).eval() for k in (1, 20, 100)} for name in origins}
curves = {name: {k: (0.9 - k / 200, 0.8 - k / 200) for k in (1, 20, 100)} for name in origins}
"""
DIALS = (  # each in a cell of its own; the number of its slider there, and the key that moves it
    ("lesson_03.sticker_dial(victim)", 1, "ArrowDown"),
    (
        'lesson_04.street_switch({"bought": street.shipped_detector("square")}, streets, [0, 3])',
        0,
        "ArrowRight",
    ),
    ("lesson_05.strength_dial(sold, curves, swedes)", 0, "ArrowRight"),
    ('lesson_07.key_dial(experiments.shipped("key-size").rows)', 0, "ArrowRight"),
    ('lesson_08.strength_dial(experiments.shipped("uchida-strength").where(n=45_000))', 0, "ArrowRight"),
    ('lesson_09.price_slider(experiments.shipped("removal"))', 0, "ArrowRight"),
    ("lesson_10.power_dial()", 0, "ArrowRight"),
    ('lesson_12.theft_dial(experiments.shipped("nothing-planted"))', 0, "ArrowRight"),
)
WORDS_CHANGED = "([box, old]) => [...box.querySelectorAll('.widget-html-content')].at(-1).innerText !== old"
NOBODY_SAYS = "old => ![...document.querySelectorAll('.widget-html-content')].some(e => e.innerText === old)"


@pytest.mark.skipif(not NO_BROWSER, reason="where there is a browser, its tests run these cells")
@pytest.mark.parametrize(
    ("cell", "dials"),
    [(DIGITS, [PAD, DIAL]), (LESSONS, [dial for dial, _, _ in DIALS])],
    ids=["digits", "lessons"],
)
def test_the_cells_of_this_test_run_where_there_is_no_browser_too(cell: str, dials: list[str]) -> None:
    names: dict[str, Any] = {}
    exec(cell, names)
    for dial in dials:
        assert isinstance(eval(dial, names), ipywidgets.VBox)


Runs = Callable[..., Any]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Return what runs cells as a notebook, and returns its page; one lab and one browser serve all tests,
    for each takes seconds to start.
    """
    folder = tmp_path_factory.mktemp("lab")
    with opener(folder) as run:
        yield lambda name, *cells: run(_book(folder / f"{name}.ipynb", *cells))


def _book(path: Path, *cells: str) -> Path:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    book.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(book, path)
    return path


@by_hand
def test_the_sliders_of_the_lessons_change_picture_and_words(runs: Runs) -> None:
    page = runs("lessons", LESSONS, *(dial for dial, _, _ in DIALS))
    boxes = page.locator(".jp-OutputArea .widget-vbox")
    boxes.nth(len(DIALS) - 1).wait_for()
    for i, (_, slider, key) in enumerate(DIALS):
        _turn_one(page, boxes.nth(i), slider, key)


def _turn_one(page: Any, box: Any, slider: int, key: str) -> None:
    """Turn a slider by keyboard until the words beside it change; the picture must have changed, too.

    Each step draws anew: another one is taken where a second has changed nothing, twelve at most.
    """
    box.scroll_into_view_if_needed()
    picture = box.locator("img").last
    before = picture.get_attribute("src")
    words = box.locator(".widget-html-content").last.inner_text()
    box.locator(".noUi-handle").nth(slider).focus()
    page.keyboard.press(key)
    for _ in range(11):
        if _changes(page, box, words, 1000):
            break
        page.keyboard.press(key)
    assert _changes(page, box, words, PATIENCE)
    assert picture.get_attribute("src") != before


def _changes(page: Any, box: Any, words: str, milliseconds: int) -> bool:
    """Say whether the words in a box become others in that time."""
    from playwright.sync_api import TimeoutError

    try:
        told = [box.element_handle(), words]
        page.wait_for_function(WORDS_CHANGED, arg=told, polling=OFTEN, timeout=milliseconds)
    except TimeoutError:
        return False
    return True


@by_hand
def test_the_widgets_react_to_choosing_ticking_drawing_and_turning(runs: Runs) -> None:
    page = runs("widgets", DIGITS, PAD, DIAL)
    answer = page.locator(".widget-html-content", has_text="Draw a digit, or choose one.")
    answer.wait_for()

    page.locator(".widget-dropdown select").select_option("7")
    page.get_by_text("network A: 7").wait_for()
    page.get_by_text("network B: 7").wait_for()

    page.locator(".widget-checkbox input").check()
    page.get_by_text("network B: 0").wait_for()
    assert page.get_by_text("network A: 7").count() == 1

    page.locator("button", has_text="Clear").click()
    answer.wait_for()
    page.locator(".widget-checkbox input").uncheck()
    _draw_a_stroke(page)
    page.get_by_text("network A: 1").wait_for()

    sentence = page.get_by_text("of 60,000 images poisoned").inner_text()
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(NOBODY_SAYS, arg=sentence, polling=OFTEN)


def _draw_a_stroke(page: Any) -> None:
    """Draw a 1 on the pad with the mouse, slowly, as a hand does."""
    box = page.locator("canvas[aria-label^='Drawing pad']").bounding_box()
    page.mouse.move(box["x"] + 126, box["y"] + 40)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 126 - step / 2, box["y"] + 40 + 9 * step)
        page.wait_for_timeout(30)
    page.mouse.up()
