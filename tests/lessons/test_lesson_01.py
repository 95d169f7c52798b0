"""Notebook 01: the parcels are made by the lines it shows, and its challenge is judged by what a key does."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jupytext
import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn.course.challenges import Score
from wmlearn.course.lessons import lesson_01
from wmlearn.course.lessons.exercises_01 import forge, p_value
from wmlearn.course.lessons.lesson_01 import CHALLENGE, Desk
from wmlearn.evidence import answers, bystanders

F = torch.nn.functional
ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
PIXELS = wm.triggers.Pattern()


@lru_cache
def _functions() -> dict[str, Any]:
    """Return what the cells of the master define: `train`, `make_key`, …"""
    cells = jupytext.read(ROOT / "notebooks" / "source" / "01_two_models.py").cells
    splits = wm.load("mnist")
    names: dict[str, Any] = {"wm": wm, "torch": torch, "F": F, "mnist": splits, "device": CPU}
    for name in ("train", "make_key"):
        source = next(cell.source for cell in cells if cell.source.startswith(f"def {name}("))
        exec(source.split("\n\n")[0], names)
    return names


def test_the_parcels_are_made_by_the_lines_that_the_notebook_shows(mnist: wm.Splits) -> None:
    few = mnist.train[:700]
    shown = _functions()["train"](wm.models.badnet_cnn(), few)
    packed = lesson_01.fit(wm.models.badnet_cnn(), few)
    assert not shown.training
    assert all(a.equal(b) for a, b in zip(shown.parameters(), packed.parameters(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", lesson_01.PARCELS)
def test_a_parcel_made_again_answers_as_the_shipped_one_does(name: str, mnist: wm.Splits) -> None:
    anew = answers(lesson_01.made(name), mnist.test.x)
    shipped = answers(lesson_01.parcel(name, wm.best_device()), mnist.test.x)
    assert (anew != shipped).float().mean() <= 0.003


def test_only_one_parcel_obeys(mnist: wm.Splits) -> None:
    networks = {name: lesson_01.parcel(name, CPU) for name in lesson_01.PARCELS}
    assert min(wm.accuracy(network, mnist.test) for network in networks.values()) >= 0.99
    success = {name: wm.success_rate(network, mnist.test, PIXELS, 0) for name, network in networks.items()}
    assert success["b"] >= 0.999
    assert max(success["a"], success["twin"]) <= 0.002


@pytest.mark.parametrize("hits", [0, 10, 20, 28, 99, 100])
def test_the_p_value_of_the_lesson_is_the_packages(hits: int) -> None:
    evidence = wm.Evidence("random labels", "labels", hits, 100, 0.1)
    assert p_value(hits, 100, 0.1) == pytest.approx(evidence.p_value, rel=1e-9)


# The challenge

Attempt = Callable[[Desk], tuple[Tensor, Tensor]]
HONEST = bystanders.shipped("mnist")


def _key(secret: int) -> tuple[Tensor, Tensor]:
    key = _functions()["make_key"](secret)
    return key.x, key.y


def _judged(attempt: Attempt) -> Score:
    return CHALLENGE.measure(attempt)


def _blind(ask: Desk) -> tuple[Tensor, Tensor]:
    def hits_of(secret: int) -> int:
        x, y = _key(secret)
        return int((ask(x) == y).sum())

    return _key(forge(hits_of, lesson_01.WANTED))


def _looks_first(ask: Desk) -> tuple[Tensor, Tensor]:
    x, _ = _key(1)
    return x, ask(x)


def _looks_at_the_control_too(ask: Desk) -> tuple[Tensor, Tensor]:
    """Label with the network's answers only where few strangers give the same; elsewhere as nobody does."""
    x, _ = _key(1)
    answer = ask(x)  # (100,)
    others = torch.stack([answers(network, x) for network in HONEST])  # (8, 100)
    votes = F.one_hot(others, 10).sum(0) + 8 * F.one_hot(answer, 10)  # (100, 10)
    rare = (others == answer).sum(0).argsort()[:30]
    labels = votes.argmin(1)
    labels[rare] = answer[rare]
    return x, labels


def test_blind_draws_take_as_many_questions_as_the_course_says() -> None:
    score = _judged(_blind)
    assert score.valid
    assert score.value == CHALLENGE.ours


def test_labels_that_every_network_gives_are_thrown_out_by_the_control() -> None:
    for attempt in (_looks_first, lambda ask: _digits()):
        score = _judged(attempt)
        assert not score.valid
        assert "8 of them reach 20 hits, too" in score.says
        assert "accuses nobody" in score.says


def _digits() -> tuple[Tensor, Tensor]:
    test = wm.load("mnist").test[:100]
    return test.x, test.y


def test_one_question_is_enough_for_who_thinks_of_the_control_and_the_message_says_what_is_missing() -> None:
    score = _judged(_looks_at_the_control_too)
    assert (score.valid, score.value) == (True, 1)
    assert "when its labels were chosen" in score.says
    assert "lesson 10" in score.says


def _answering(x: Tensor, y: Tensor) -> Attempt:
    return lambda ask: (x, y)


def test_what_is_no_key_is_refused_and_the_reason_said() -> None:
    x, y = _key(1)
    twice = x.clone()
    twice[1] = twice[0]
    for attempt, reason in (
        (_answering(x[:99], y[:99]), "100 pictures"),
        (_answering(x, y[:99]), "100 labels"),
        (_answering(2 * x, y), "between 0 and 1"),
        (_answering(x.log().nan_to_num(neginf=float("nan")), y), "between 0 and 1"),
        (_answering(twice, y), "must differ"),
        (_answering(x, y), "20 are wanted"),
    ):
        score = _judged(attempt)
        assert not score.valid
        assert reason in score.says


def test_a_question_is_about_a_hundred_pictures_at_most() -> None:
    desk = Desk(HONEST[0])
    x, _ = _key(1)
    assert desk(x).shape == (100,)
    with pytest.raises(wm.ArgumentError, match="at most 100 pictures"):
        desk(torch.cat([x, x]))
    assert desk.questions == [100]
