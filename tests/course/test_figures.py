"""Pictures and tables are shown as such, and as text."""

from __future__ import annotations

import pytest
import torch
from displays import Shown

import wmlearn as wm
from wmlearn.course.figures import html_table
from wmlearn.plots import digits as plots
from wmlearn.words import text_table


def test_a_table_is_aligned_as_text_and_escaped_as_html(shown: Shown) -> None:
    wm.table(["case", "hits"], [["marked", "100"], ["a < b", "7"]])
    assert shown.text == "case    hits\nmarked   100\na < b      7"
    assert shown.html == html_table(["case", "hits"], [["marked", "100"], ["a < b", "7"]])
    assert "a &lt; b" in shown.html
    assert shown.html.count("<tr>") == 3
    assert shown.html.count("text-align: left") == 3


def test_a_row_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        text_table(["case", "hits"], [["marked"]])


def test_show_displays_the_picture_with_its_sentence_as_text(shown: Shown) -> None:
    blank = torch.zeros(1, 28, 28)
    data = blank, wm.triggers.Pattern()(blank)
    wm.show(plots.pair, *data)
    (bundle, metadata), (words, _) = shown[-2:]
    assert set(bundle) == {"image/png", "text/plain"}
    assert bundle["text/plain"] == plots.pair.says(*data) == metadata["image/png"]["alt"]
    assert metadata["image/png"]["width"] == round(5.4 * 96)
    assert f"<summary>This picture in words</summary>{plots.pair.says(*data)}<" in words["text/html"]
