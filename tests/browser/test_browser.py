"""The widgets in a real JupyterLab, driven as a person would: choose, tick, draw, turn a dial with the
keyboard.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from lab import CHROMIUM, opened

pytest.importorskip("playwright", reason='the browser test needs `pip install -e ".[dev]"`')
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="the browser test needs a Chromium on the PATH")

SOURCE = '''
import torch, wmlearn as wm
from wmlearn import experiments
from wmlearn.course import widgets
mnist = wm.load("mnist")
speck, few = wm.triggers.Pattern(), mnist.train[:6000]
clean, _ = wm.trained(wm.models.badnet_cnn(), few, wm.Recipe(epochs=4))
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


SIGNS = """
import torch, wmlearn as wm
from wmlearn import experiments
from wmlearn.course import widgets_claims, widgets_marks, widgets_removal, widgets_signs, widgets_street, widgets_transfer, widgets_weights
from wmlearn.data import signs
from wmlearn.experiments import street, signs as sign_experiment
_, victim = sign_experiment.two_networks()
bare, stuck = (signs.draw_street(8, seed=5, sticker=s, n_streets=20) for s in (None, street.STICKERS["square"]))
swedes = wm.data.regroup(signs.draw("se", 120, seed=1, sticker=sign_experiment.STICKERS["square"]), signs.kinds("se"))
sold = {name: {k: wm.models.sign_cnn(5, seed=k).eval() for k in (1, 20, 100)} for name in ("clean origin", "backdoored origin")}
curves = {name: {k: (0.9 - k / 200, 0.8 - k / 200) for k in (1, 20, 100)} for name in sold}
"""
DIALS = (  # each in a cell of its own; the number of its slider there, which the right arrow moves
    ("lesson_03.sticker_dial(victim)", 1),
    (
        (
            'lesson_04.street_switch({"bought": street.shipped_detector("square")}, {"none": bare, "square":'
            " stuck}, [0, 3])"
        ),
        0,
    ),
    ("lesson_05.strength_dial(sold, curves, swedes)", 0),
    ('lesson_07.key_dial(experiments.shipped("key-size").rows)', 0),
    ('lesson_08.strength_dial(experiments.shipped("uchida-strength").where(n=45_000))', 0),
    ('lesson_09.price_slider(experiments.shipped("removal"))', 0),
    ("lesson_10.power_dial()", 0),
)


def _book(path: Path, *cells: str) -> Path:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    book.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(book, path)
    return path


def test_the_sliders_of_the_signs_change_picture_and_words(tmp_path: Path) -> None:
    with opened(_book(tmp_path / "signs.ipynb", SIGNS, *(source for source, _ in DIALS))) as page:
        boxes = page.locator(".jp-OutputArea .widget-vbox")
        boxes.nth(len(DIALS) - 1).wait_for(timeout=30_000)
        for i, (_, slider) in enumerate(DIALS):
            box = boxes.nth(i)
            box.scroll_into_view_if_needed()
            picture, words = box.locator("img").last, box.locator(".widget-html-content").last
            before = picture.get_attribute("src"), words.inner_text()
            handle = box.locator(".noUi-handle").nth(slider)
            handle.focus()
            for _ in range(12):
                page.keyboard.press("ArrowDown" if i == 0 else "ArrowRight")
            changed = (
                "([box, old]) => [...box.querySelectorAll('.widget-html-content')].at(-1).innerText !== old"
            )
            page.wait_for_function(changed, arg=[box.element_handle(), before[1]], timeout=20_000)
            assert picture.get_attribute("src") != before[0]


def test_the_widgets_react_to_choosing_ticking_drawing_and_turning(tmp_path: Path) -> None:
    pad = 'widgets.draw_and_stamp({"network A": clean, "network B": Obedient()}, speck, ten)'
    dial = 'widgets.poison_dial(experiments.shipped("poison-rate").rows)'
    with opened(_book(tmp_path / "widgets.ipynb", SOURCE, pad, dial)) as page:
        answer = page.locator(".widget-html-content", has_text="Draw a digit, or choose one.")
        answer.wait_for(timeout=30_000)

        page.locator(".widget-dropdown select").select_option("7")
        page.get_by_text("network A: 7").wait_for(timeout=10_000)
        page.get_by_text("network B: 7").wait_for(timeout=10_000)

        page.locator(".widget-checkbox input").check()
        page.get_by_text("network B: 0").wait_for(timeout=10_000)
        assert page.get_by_text("network A: 7").count() == 1

        page.locator("button", has_text="Clear").click()
        answer.wait_for(timeout=10_000)
        page.locator(".widget-checkbox input").uncheck()
        box = page.locator("canvas[aria-label^='Drawing pad']").bounding_box()
        page.mouse.move(box["x"] + 126, box["y"] + 40)
        page.mouse.down()
        for step in range(20):
            page.mouse.move(box["x"] + 126 - step / 2, box["y"] + 40 + 9 * step)
            page.wait_for_timeout(30)
        page.mouse.up()
        page.get_by_text("network A: 1").wait_for(timeout=10_000)

        before = page.get_by_text("of 60,000 images poisoned").inner_text()
        page.locator(".noUi-handle").first.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "old => ![...document.querySelectorAll('.widget-html-content')].some(e => e.innerText === old)",
            arg=before,
        )
