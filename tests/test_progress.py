"""Bars: silent by default, patient, complete, and gone afterwards; a notebook turns them on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import pytest
import torch
from tqdm import tqdm

import wmlearn as wm
from wmlearn import progress
from wmlearn.data import signs
from wmlearn.street_detector import detect, street_rcnn, train_detector


class Drawn:
    """Stands for tqdm, and remembers what was asked of it."""

    all: ClassVar[list[Drawn]] = []

    def __init__(self, *, desc: str, total: int, delay: float, leave: bool) -> None:
        self.what, self.total, self.delay, self.leave = desc, total, delay, leave
        self.done, self.open = 0, True
        self.all.append(self)

    def __enter__(self) -> Drawn:
        return self

    def update(self) -> None:
        self.done += 1

    def __exit__(self, *_: object) -> None:
        self.open = False


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Drawn]]:
    monkeypatch.setattr(Drawn, "all", [])
    progress.watch(Drawn)
    yield Drawn.all
    progress.watch(None)


def test_nobody_sees_a_bar_who_did_not_ask(drawn: list[Drawn], few: wm.Samples) -> None:
    progress.watch(None)
    wm.train(wm.models.badnet_cnn(), few[:300], wm.Recipe(epochs=1))
    assert drawn == []


@pytest.fixture
def screen() -> Iterator[io.StringIO]:
    """What tqdm itself writes."""
    letters = io.StringIO()
    progress.watch(partial(tqdm, file=letters, ncols=60, mininterval=0))
    yield letters
    progress.watch(None)


def test_what_is_soon_done_needs_no_bar(screen: io.StringIO) -> None:
    assert list(progress.each(range(5), "counting")) == list(range(5))
    assert screen.getvalue() == ""


def test_a_bar_shows_after_a_while_and_leaves_nothing_behind(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 1e-6)
    assert list(progress.each(range(5), "counting")) == list(range(5))
    *shown, last = screen.getvalue().strip("\r").split("\r")
    assert shown[0].startswith("counting")
    assert last.strip() == ""


def test_within_a_bar_there_is_no_other_and_after_it_there_may_be(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 1e-6)
    for _ in progress.each(range(3), "attacks"):
        assert list(progress.each(range(5), "training")) == list(range(5))
    next(progress.each(range(3), "left early"))
    list(progress.each(range(5), "reading"))
    assert "attacks" in screen.getvalue()
    assert "training" not in screen.getvalue()
    assert "reading" in screen.getvalue()
    assert "\n" not in screen.getvalue(), "JupyterLab shows what comes after it below"


def test_long_work_counts_every_step_and_closes_its_bar(drawn: list[Drawn], few: wm.Samples) -> None:
    model = wm.models.badnet_cnn()
    wm.train(model, few[:600], wm.Recipe(epochs=2, batch_size=256))
    wm.predict(model, few[:600].x, batch_size=256)
    signs.draw("us", 100, seed=0)
    assert [(bar.what, bar.done, bar.total) for bar in drawn] == [
        ("training", 6, 6),
        ("reading", 3, 3),
        ("drawing", 2, 2),
    ]
    assert not any(bar.open or bar.leave for bar in drawn)
    assert {bar.delay for bar in drawn} == {progress.PATIENCE}


def test_the_street_and_its_detector_show_bars_too(drawn: list[Drawn]) -> None:
    scenes, detector = signs.draw_street(40, seed=0, n_streets=20), street_rcnn()
    train_detector(detector, scenes, wm.Recipe(epochs=1, batch_size=16, precision="fp32"))
    detect(detector, scenes.x, batch_size=16)
    assert [(bar.what, bar.done, bar.total) for bar in drawn] == [
        ("drawing", 2, 2),
        ("training", 3, 3),
        ("detecting", 3, 3),
    ]


def test_a_bar_goes_when_the_work_fails(drawn: list[Drawn], few: wm.Samples) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wm.train(wm.models.badnet_cnn(), few[:600], wm.Recipe(epochs=2), on_epoch=stop)
    assert [bar.open for bar in drawn] == [False]


@pytest.mark.parametrize("quiet", [False, True])
def test_a_notebook_turns_bars_on_unless_its_outputs_are_compared(
    quiet: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WMLEARN_QUIET")
    if quiet:
        monkeypatch.setenv("WMLEARN_QUIET", "1")
    asked: list[object] = []
    monkeypatch.setattr(progress, "watch", asked.append)
    try:
        wm.start("03")
    finally:
        torch.use_deterministic_algorithms(False)
    assert capsys.readouterr().out.startswith("Notebook 03")
    assert [draw is None for draw in asked] == [quiet]
