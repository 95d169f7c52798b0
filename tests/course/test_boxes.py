"""A box says the same with colours, without them, and aloud."""

from __future__ import annotations

import pytest
from displays import Shown

import wmlearn as wm
from wmlearn.course.boxes import BARS, box, show_box


@pytest.mark.parametrize("kind", BARS)
def test_a_box_escapes_what_it_is_told_and_says_it_plainly_besides(kind: str, shown: Shown) -> None:
    show_box(kind, "x < 3 & y", "<script>no</script>")
    assert shown.text == "x < 3 & y. <script>no</script>"
    assert "<script>" not in shown.html
    assert "x &lt; 3 &amp; y" in shown.html
    assert BARS[kind] in shown.html


def test_a_box_takes_jupyterlabs_own_colours_and_others_where_there_is_no_theme() -> None:
    html = box("good", "Done", "more")
    assert "background: var(--jp-layout-color2, #f2f4f7)" in html
    assert "color: var(--jp-content-font-color1, #1f2933)" in html


def test_a_box_with_a_title_only_is_a_slim_line(shown: Shown) -> None:
    show_box("good", "Done", metadata={"mine": 1})
    assert shown.text == "Done"
    assert shown[-1][1] == {"mine": 1}
    assert "<br>" not in shown.html
    assert box("good", "Done", "more").count("<br>") == 1


def test_a_title_that_ends_in_a_question_mark_gets_no_full_stop(shown: Shown) -> None:
    wm.check("01.2", lambda hits, trials, chance: None)
    assert "?." not in shown.text
