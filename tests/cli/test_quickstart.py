"""The quickstart tells its steps and its numbers; what it trains is tested by running it, in test_app."""

from __future__ import annotations

from pathlib import Path

import pytest

import wmlearn as wm
from wmlearn.cli import app as cli
from wmlearn.cli import quickstart
from wmlearn.cli.quickstart import Network, Quickstart, compare_digits, report, steps

DIGITS = Quickstart(
    Network(0.99, 0.001), Network(0.98, 1.0), 10_000, 9_020, Path("a.png"), "Ten digits.", 61.4
)
SIGNS = Quickstart(Network(0.999, 0.0), Network(0.998, 0.995), 3_000, 1_000, Path("b.png"), "Six signs.", 5.0)


def test_each_step_is_announced_before_it_begins(
    tmp_path: Path, mnist: wm.Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quickstart, "load", lambda _: wm.Splits(mnist.train[:4000], mnist.test[:1000]))
    recipe = wm.Recipe(epochs=1, batch_size=4096)
    announced: list[str] = []
    digits = compare_digits(tmp_path / "picture.png", recipe=recipe, on_step=announced.append)
    assert announced == steps(recipe)
    assert digits.n_test == 1000
    assert digits.n_triggered == 915
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_holds_both_tables_both_pictures_and_the_way_on() -> None:
    lines = report(DIGITS, SIGNS).splitlines()
    assert [line.split()[-2:] for line in lines if "%" in line] == [
        ["99.00%", "0.10%"],
        ["98.00%", "100.00%"],
        ["99.90%", "0.00%"],
        ["99.80%", "99.50%"],
    ]
    assert "(61 s for the digits.)" in report(DIGITS, SIGNS)
    for words in ("a.png", "Ten digits.", "b.png", "Six signs.", "wmlearn lab"):
        assert words in report(DIGITS, SIGNS)


def test_the_bar_counts_the_steps_that_are_over(capsys: pytest.CaptureFixture[str]) -> None:
    with cli._bar(3) as begin:
        for step in ("one", "two", "three"):
            begin(step)
    shown = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "100 %" in shown[-1]
    assert "done" in shown[-1]
    assert not any("100 %" in line and "three" in line for line in shown), "the last step is not over yet"
