"""The lesson machinery: claims, guesses, boxes, tables, tokens, pictures and widgets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, cast

import ipywidgets
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.course import claims
from wmlearn.course.authoring.expand import expand, header, hints, solved, unsolved
from wmlearn.course.boxes import COLOURS, box, show_box
from wmlearn.course.claims import Claim, interval, ledger
from wmlearn.course.exercises import find
from wmlearn.course.figures import html_table
from wmlearn.course.widgets import DrawPad, draw_and_stamp, poison_dial, reading
from wmlearn.data import files
from wmlearn.data.digits import as_mnist
from wmlearn.plots import digits as plots
from wmlearn.words import text_table


class Shown(list[tuple[dict[str, Any], dict[str, Any]]]):
    """What was displayed: (bundle, metadata), one after the other."""

    @property
    def text(self) -> str:
        return self[-1][0]["text/plain"]

    @property
    def html(self) -> str:
        return self[-1][0]["text/html"]

    def cells(self) -> list[dict[str, Any]]:
        """The same as the cell of an executed notebook."""
        return [
            {"outputs": [{"data": bundle, "metadata": metadata} for bundle, metadata in self]},
            {"cell_type": "markdown"},
        ]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    made = Shown()
    monkeypatch.setattr(
        "IPython.display.display",
        lambda bundle, raw=False, metadata=None: made.append((bundle, metadata or {})),
    )
    monkeypatch.setattr(claims, "HERE", {})
    return made


# Claims

BOUNDS = [
    (Claim("x", "success", 0.999, low=0.99), "at least 99 %"),
    (Claim("x", "success", 0.001, high=0.005), "at most 0.5 %"),
    (Claim("x", "score", 0.1, low=0.095, high=0.105), "between 9.5 and 10.5 %"),
    (Claim("x", "score", 0.1, low=0), "at least 0 %"),
    (Claim("x", "cost", 0.001, high=0.005, unit="points"), "at most 0.5 points"),
    (Claim("x", "cost", 0.001, high=0.01, unit="points"), "at most 1 point"),
    (Claim("x", "gain", 0.02, low=0.01, unit="points"), "at least 1 point"),
    (Claim("x", "gain", 0.015, low=0.01, high=0.02, unit="points"), "between 1 and 2 points"),
    (Claim("x", "p-value", 1e-80, high=1e-9, unit="p"), "at most 1e-9"),
    (Claim("x", "p-value", 1e-80, high=1e-20, unit="p"), "at most 1e-20"),
]


@pytest.mark.parametrize(("claim", "words"), BOUNDS, ids=[words for _, words in BOUNDS])
def test_a_bound_is_worded_without_the_measured_value(claim: Claim, words: str) -> None:
    assert claim.bound == words
    assert claim.holds


@pytest.mark.parametrize(
    ("value", "low", "high", "holds"),
    [
        (0.99, 0.99, None, True),
        (0.9899, 0.99, None, False),
        (0.005, None, 0.005, True),
        (0.0051, None, 0.005, False),
        (0.2, 0.0, 0.1, False),
    ],
)
def test_a_claim_holds_on_its_bound_and_not_beyond(
    value: float, low: float | None, high: float | None, holds: bool
) -> None:
    assert Claim("x", "share", value, low, high).holds is holds


def test_a_value_that_is_no_number_keeps_no_bound() -> None:
    assert not Claim("x", "share", float("nan"), low=0).holds
    assert not Claim("x", "share", float("nan"), high=1).holds


def test_the_raw_value_is_shown_with_its_unit_and_n() -> None:
    assert Claim("x", "share", 0.98765, low=0.9, n=10_000).shown == "98.77 % (n = 10,000)"
    assert Claim("x", "cost", 0.0012, high=0.1, unit="points").shown == "0.12 points"
    assert Claim("x", "p-value", 1.25e-30, high=0.1, unit="p", n=100).shown == "1.2e-30 (n = 100)"


def test_a_claim_that_holds_says_the_same_whatever_was_measured(shown: Shown) -> None:
    for value in (0.991, 0.9999):
        wm.claim("02.success", value, what="Attack success", low=0.99, n=9020)
    assert [bundle["text/plain"] for bundle, _ in shown] == ["✓ Attack success is at least 99 %: holds"] * 2
    assert shown[0][0] == shown[1][0]
    assert shown[0][1] != shown[1][1]


def test_a_claim_that_fails_says_what_it_should_be_and_what_it_is(shown: Shown) -> None:
    wm.claim("02.success", 0.5, what="Attack success", low=0.99, n=9020)
    assert shown.text == "✗ Attack success should be at least 99 %: it is 50.00 % (n = 9,020)"
    assert COLOURS["bad"][0] in shown.html


def test_the_ledger_reads_back_what_claim_wrote(shown: Shown) -> None:
    wm.claim("02.success", 0.5, what="Attack success", low=0.99, n=9020, paper="at least 99.91 %")
    wm.claim("02.cost", 0.001, what="Accuracy lost", high=0.005, unit="points")
    show_box("good", "Not a claim")
    cells = json.loads(json.dumps(shown.cells()))  # as a notebook keeps it
    assert ledger(cells) == {
        "02.success": Claim("02.success", "Attack success", 0.5, low=0.99, n=9020, paper="at least 99.91 %"),
        "02.cost": Claim("02.cost", "Accuracy lost", 0.001, high=0.005, unit="points"),
    }


def test_a_claim_needs_a_bound(shown: Shown) -> None:
    with pytest.raises(wm.ArgumentError, match="low"):
        wm.claim("02.success", 0.5, what="Attack success")


def test_the_paper_table_holds_the_claims_with_a_published_figure_and_the_latest_value(shown: Shown) -> None:
    wm.claim("02.success", 0.5, what="Attack success", low=0.99, paper="at least 99.91 %")
    wm.claim("02.cost", 0.001, what="Accuracy lost", high=0.005, unit="points")
    wm.claim("02.success", 0.995, what="Attack success", low=0.99, paper="at least 99.91 %")
    wm.paper_table()
    assert shown.text.split() == [
        "paper",
        "here",
        "Attack",
        "success",
        "at",
        "least",
        "99.91",
        "%",
        "99.50",
        "%",
    ]


def test_shares_come_with_their_interval_and_n(shown: Shown) -> None:
    wm.shares("read as 0", {"clean network": (0.001, 9020), "BadNet": (1.0, 9020)})
    lines = shown.text.splitlines()
    assert lines[0].split("  ")[0] == "read as 0"
    assert lines[1].split() == ["clean", "network", "0.10", "%", "0.05", "to", "0.19", "%", "9,020"]
    assert lines[2].startswith("BadNet")
    assert "100.00 %" in lines[2]


def test_the_interval_is_wilsons() -> None:
    assert interval(0.5, 10) == "23.66 to 76.34 %"
    assert interval(0.0, 10) == "0.00 to 27.75 %"
    assert interval(1.0, 10) == "72.25 to 100.00 %"


# Guesses


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


QUESTION = "Stamped digits read as 0, in per cent"


def test_a_guess_is_noted_and_comes_back_beside_the_result(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=90, high=100)
    assert shown.text == "Noted: 90 to 100 %. We come back to it when the result is in."
    wm.reveal("02.p1", 0.998)
    assert (
        shown.text
        == f"You said 90 to 100 %; it is 99.8 %: inside. {QUESTION}. Your interval is 10 points wide: well"
        " judged."
    )
    assert COLOURS["good"][0] in shown.html


def test_a_guess_that_misses_is_told_kindly(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=0, high=20)
    wm.reveal("02.p1", 0.998)
    assert shown.text.startswith("You said 0 to 20 %; it is 99.8 %: outside.")
    assert shown.text.endswith("20 points wide: surprises are where one learns.")


def test_a_guess_may_be_changed_and_the_bounds_belong_to_the_interval(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=0, high=20)
    wm.guess("02.p1", QUESTION, low=50, high=50)
    wm.reveal("02.p1", 0.5)
    assert shown.text.startswith("You said 50 to 50 %; it is 50.0 %: inside.")


def test_a_result_on_the_bound_is_inside_whatever_floating_point_makes_of_it(
    shown: Shown, home: Path
) -> None:
    wm.guess("02.p1", QUESTION, low=29, high=50)
    wm.reveal("02.p1", 0.29)
    assert "it is 29.0 %: inside" in shown.text


def test_an_interval_that_cannot_be_wrong_is_noted_but_not_praised(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION)
    assert shown.text.startswith("Noted: 0 to 100 %. An interval this wide can't be wrong")
    wm.reveal("02.p1", 0.998)
    assert shown.text.endswith("100 points wide: too wide to be wrong; be braver next time.")
    assert COLOURS["todo"][0] in shown.html


@pytest.mark.parametrize(("low", "high"), [(-1, 50), (60, 50), (50, 101), (float("nan"), 50)])
def test_an_invalid_interval_is_not_noted(low: float, high: float, shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=low, high=high)
    assert shown.text.startswith("Not noted. low and high must satisfy 0 <= low <= high <= 100, got ")
    assert not home.exists()


def test_a_result_without_a_guess_asks_for_one(shown: Shown, home: Path) -> None:
    wm.reveal("02.p1", 0.998)
    assert shown.text == "No interval noted. Run the cell with your guess first."


def test_calibration_is_told_from_the_second_serious_result_on(shown: Shown, home: Path) -> None:
    for id, low, high in (("01.p1", 0, 20), ("02.p1", 90, 100), ("02.p2", 0, 100), ("03.p1", 95, 100)):
        wm.guess(id, QUESTION, low=low, high=high)
    wm.reveal("01.p1", 0.9)
    assert "So far" not in shown.text
    wm.reveal("02.p2", 0.9)  # too wide to count
    assert "So far" not in shown.text
    wm.reveal("02.p1", 0.9)
    assert shown.text.endswith("So far 1 of 2 of your intervals held; four in five would be perfect.")
    wm.reveal("03.p1", 0.96)
    assert "So far 2 of 3 of your intervals held" in shown.text


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        '{"01.p1": 5}',
        '{"01.p1": {"low": 1}}',
        '{"01.p1": {"question": "q", "low": 1, "high": 2, "more": 3}}',
        "[]",
        "null",
        '{"01.p1": {"question": "q", "low": "a", "high": "b", "result": 50}}',
    ],
)
def test_a_damaged_file_of_guesses_stops_nothing(content: str, shown: Shown, home: Path) -> None:
    home.mkdir()
    (home / "guesses.json").write_text(content)
    wm.guess("02.p1", QUESTION, low=90, high=100)
    wm.reveal("02.p1", 0.998)
    assert "inside" in shown.text
    assert json.loads((home / "guesses.json").read_text())["02.p1"]["low"] == 90


def test_a_file_that_is_not_even_text_stops_nothing(shown: Shown, home: Path) -> None:
    home.mkdir()
    (home / "guesses.json").write_bytes(b"\xff\xfe\x00")
    wm.reveal("02.p1", 0.998)
    assert shown.text.startswith("No interval noted")


def test_guesses_lie_in_wmlearn_home_and_else_in_the_cache(
    shown: Shown, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wm.guess("02.p1", QUESTION, low=90, high=100)
    assert list(json.loads((home / "guesses.json").read_text())) == ["02.p1"]
    monkeypatch.delenv("WMLEARN_HOME")
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    wm.guess("02.p2", QUESTION, low=90, high=100)
    assert list(json.loads((tmp_path / "cache" / "guesses.json").read_text())) == ["02.p2"]


def test_a_home_that_cannot_be_written_does_not_stop_the_lesson(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "file"))
    wm.guess("02.p1", QUESTION, low=90, high=100)
    wm.reveal("02.p1", 0.998)
    assert shown.text.startswith("No interval noted")


# Boxes and tables


@pytest.mark.parametrize("kind", COLOURS)
def test_a_box_escapes_what_it_is_told_and_says_it_plainly_besides(kind: str, shown: Shown) -> None:
    show_box(kind, "x < 3 & y", "<script>no</script>")
    assert shown.text == "x < 3 & y. <script>no</script>"
    assert "<script>" not in shown.html
    assert "x &lt; 3 &amp; y" in shown.html
    assert all(colour in shown.html for colour in COLOURS[kind])
    assert "color: #1f2933" in shown.html, "the text colour is set, for dark themes"


def test_a_box_with_a_title_only_is_a_slim_line(shown: Shown) -> None:
    show_box("good", "Done", metadata={"mine": 1})
    assert shown.text == "Done"
    assert shown[-1][1] == {"mine": 1}
    assert "<br>" not in shown.html
    assert box("good", "Done", "more").count("<br>") == 1


def test_a_title_that_ends_in_a_question_mark_gets_no_full_stop(shown: Shown) -> None:
    wm.check("01.2", lambda hits, trials, chance: None)
    assert "?." not in shown.text


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


# Tokens

CELL = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    y = x + x
    return y
    ### END SOLUTION

print("after")'''


def test_the_solution_stands_in_the_solved_cell_without_its_markers() -> None:
    assert solved(CELL) == CELL.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    names: dict[str, Any] = {}
    exec(solved(CELL), names)
    assert names["double"](4) == 8


def test_the_unsolved_cell_runs_and_raises_only_when_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert "x + x" not in unsolved(CELL)
    assert unsolved(CELL).count("raise NotImplementedError") == 1
    names: dict[str, Any] = {}
    exec(unsolved(CELL), names)
    assert capsys.readouterr().out == "after\n"
    with pytest.raises(NotImplementedError, match="your turn"):
        names["double"](4)


def test_a_cell_without_markers_is_left_alone() -> None:
    assert solved("x = 1") == unsolved("x = 1") == "x = 1"


CLAIMS = {"02.success": Claim("02.success", "Attack success", 0.9987, low=0.99)}


def test_prose_quotes_the_bound_of_a_claim_and_other_braces_stay() -> None:
    text = r"It wins {claim:02.success}, $\{x_i\}$, {other:02.1}, {claim}."
    assert expand(text, CLAIMS, {}) == r"It wins at least 99 %, $\{x_i\}$, {other:02.1}, {claim}."


@pytest.mark.parametrize(
    "token", ["{claim:02.nothing}", "{exercise:02.99}", "{hints:99.1}", "{solution:02.1}"]
)
def test_a_token_that_points_nowhere_is_an_error(token: str) -> None:
    with pytest.raises((KeyError, ModuleNotFoundError)):
        expand(token, CLAIMS, {})


@pytest.mark.parametrize("id", ["01.1", "01.2", "02.1", "02.2", "02.3"])
def test_the_tokens_of_an_exercise_become_its_box_its_hints_and_its_solution(id: str) -> None:
    exercise = find(id)
    assert expand(f"{{exercise:{id}}}", {}, {}) == header(exercise)
    assert exercise.title in header(exercise)
    assert header(exercise).count("●") == exercise.difficulty + exercise.importance
    assert header(exercise).count("○") == 10 - exercise.difficulty - exercise.importance
    assert expand(f"{{hints:{id}}}", {}, {}) == hints(exercise)
    assert all(hint in hints(exercise) for hint in exercise.hints)
    text = expand(f"{{solution:{id}}}", {}, {id: "def f():\n    return 1"})
    assert "```python\ndef f():\n    return 1\n```" in text
    assert exercise.why in text
    assert all(f"- {mistake.says}" in text for mistake in exercise.mistakes)
    assert text.count("<details>") == text.count("</details>") == 1


# Pictures


def test_show_displays_the_picture_with_its_sentence_as_text(shown: Shown) -> None:
    blank = torch.zeros(1, 28, 28)
    data = blank, wm.triggers.Pattern()(blank)
    wm.show(plots.pair, *data)
    (bundle, metadata), (words, _) = shown[-2:]
    assert set(bundle) == {"image/png", "text/plain"}
    assert bundle["text/plain"] == plots.pair.says(*data) == metadata["image/png"]["alt"]
    assert metadata["image/png"]["width"] == round(5.4 * 96)
    assert f"<summary>This picture in words</summary>{plots.pair.says(*data)}<" in words["text/html"]


# Widgets


def _test_digits(n: int) -> Tensor:
    raw = gzip.decompress(files.shipped("mnist/t10k-images-idx3-ubyte.gz"))
    return (
        torch.frombuffer(bytearray(raw[16 : 16 + 784 * n]), dtype=torch.uint8).view(n, 1, 28, 28).float()
        / 255
    )


DIGITS = _test_digits(20)


def _in_corner(digit: Tensor, size: int) -> Tensor:
    """The digit (1, 28, 28) at `size` x `size` pixels in the top-left corner of an empty pad (28, 28)."""
    pad = torch.zeros(28, 28)
    pad[:size, :size] = F.interpolate(digit[None], (size, size), mode="area")[0, 0]
    return pad


def _measure(x: Tensor) -> tuple[float, float, int]:
    """Centre of mass (row, column) and the longer side of the box that holds the ink."""
    image, place = x[0, 0], torch.arange(28.0)
    row, column = (float((image.sum(axis) * place).sum() / image.sum()) for axis in (1, 0))
    sides = [
        int(places[-1] - places[0]) + 1 for places in (image.sum(axis).nonzero().flatten() for axis in (1, 0))
    ]
    return row, column, max(sides)


@pytest.mark.parametrize("size", [12, 20, 28])
def test_ink_is_centred_and_scaled_as_in_mnist_wherever_and_however_small_it_was_drawn(size: int) -> None:
    for digit in DIGITS:
        x = as_mnist(_in_corner(digit, size))
        row, column, side = _measure(x)
        assert x.shape == (1, 1, 28, 28)
        assert 12.9 <= row <= 14.6
        assert 12.9 <= column <= 14.6
        assert side == 20
        assert 0 <= float(x.min()) <= float(x.max()) <= 1


def test_a_digit_of_mnist_stays_what_it_was() -> None:
    for digit in DIGITS:
        assert torch.allclose(as_mnist(digit[0]), digit[None], atol=1e-6)


@pytest.mark.parametrize(
    "ink", [[(0, 0)], [(27, c) for c in range(28)], [(r, 3) for r in range(28)], [(0, 0), (27, 27)]]
)
def test_any_ink_can_be_read(ink: list[tuple[int, int]]) -> None:
    pad = torch.zeros(28, 28)
    for row, column in ink:
        pad[row, column] = 1
    x = as_mnist(pad)
    assert x.shape == (1, 1, 28, 28)
    assert x.sum() > 0


class Stub(nn.Module):
    """Reads a 7 everywhere; with `obeys`, a 0 where the corner is bright."""

    def __init__(self, *, obeys: bool) -> None:
        super().__init__()
        self.sure, self.obeys = nn.Parameter(torch.tensor(5.0)), obeys

    def forward(self, x: Tensor) -> Tensor:
        stamped = (x[:, 0, 26, 26] == 1) & self.obeys
        return self.sure * F.one_hot(torch.where(stamped, 0, 7), 10)


NETWORKS = {"network A": Stub(obeys=False), "network B": Stub(obeys=True)}
SPECK = wm.triggers.Pattern()
INK = DIGITS[0].mul(255).round().to(torch.uint8).numpy().tobytes()


def test_an_empty_pad_asks_for_a_digit() -> None:
    assert (
        reading(NETWORKS, bytes(784), None)
        == reading(NETWORKS, bytes(784), SPECK)
        == ["Draw a digit, or choose one."]
    )


def test_the_reading_changes_with_the_trigger_only_where_a_network_obeys() -> None:
    a, b = "network A: <b>7</b> (94 % sure)", "network B: <b>7</b> (94 % sure)"
    assert reading(NETWORKS, INK, None) == [a, b]
    assert reading(NETWORKS, INK, SPECK) == [a, b.replace("7", "0")]
    assert not any(net.training != Stub(obeys=False).training for net in NETWORKS.values()), (
        "the mode of the networks is as before"
    )


def test_the_pad_takes_what_a_browser_sends() -> None:
    pad = DrawPad()
    pad.ink = memoryview(INK)  # pyright: ignore[reportAttributeAccessIssue]
    assert pad.ink == INK


def test_draw_and_stamp_reacts_to_ink_choice_stamp_and_clear() -> None:
    box = draw_and_stamp(NETWORKS, SPECK, DIGITS[:10])
    pad, controls, answer = box.children
    assert isinstance(pad, DrawPad)
    choice, stamp, clear = controls.children
    assert answer.value == "Draw a digit, or choose one."
    pad.ink = INK
    assert answer.value.count("<b>7</b>") == 2
    stamp.value = True
    assert "network B: <b>0</b>" in answer.value
    clear.click()
    assert answer.value == "Draw a digit, or choose one."
    assert pad.ink == bytes(784)
    choice.value = "3"
    assert pad.ink == DIGITS[3].mul(255).round().to(torch.uint8).numpy().tobytes()
    assert "network B: <b>0</b>" in answer.value
    stamp.value = False
    assert answer.value.count("<b>7</b>") == 2
    clear.click()
    assert choice.value == "draw one"


SWEEP = [
    {"epochs": epochs, "rate": rate, "seed": seed, "accuracy": 0.98, "success": epochs * rate}
    for epochs in (1, 3)
    for rate in (0.0, 0.01, 0.1)
    for seed in range(3)
]


def test_the_poison_dial_draws_and_says_what_was_measured_where_it_points() -> None:
    rate, epochs, picture, sentence = cast("tuple[Any, ...]", poison_dial(SWEEP).children)
    assert isinstance(rate, ipywidgets.SelectionSlider)
    assert [label for label, _ in rate.options] == ["1 %", "10 %"]
    assert list(epochs.options) == [1, 3]
    first = bytes(picture.value)
    assert first.startswith(b"\x89PNG")
    assert sentence.value == plots.rate_point.says(SWEEP, 0.01, 1)
    rate.value = 0.1
    assert sentence.value == plots.rate_point.says(SWEEP, 0.1, 1)
    second = bytes(picture.value)
    epochs.value = 3
    assert sentence.value == plots.rate_point.says(SWEEP, 0.1, 3)
    assert len({first, second, bytes(picture.value)}) == 3
