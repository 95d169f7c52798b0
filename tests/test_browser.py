"""The widgets in a real JupyterLab, driven as a person would: choose, tick, draw, turn a dial with the keyboard."""

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


def test_the_widgets_react_to_choosing_ticking_drawing_and_turning(tmp_path: Path) -> None:
    pad = 'widgets.draw_and_stamp({"network A": clean, "network B": Obedient()}, speck, ten)'
    dial = 'widgets.poison_dial(experiments.shipped("poison-rate").rows)'
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (SOURCE, pad, dial)])
    book.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(book, tmp_path / "widgets.ipynb")
    with opened(tmp_path / "widgets.ipynb") as page:
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
        page.wait_for_function("old => ![...document.querySelectorAll('.widget-html-content')].some(e => e.innerText === old)", arg=before)
