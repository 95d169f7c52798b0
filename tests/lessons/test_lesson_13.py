"""Notebook 13: what is built in it equals the package's; the traps and their controls; the challenge."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn.course.lessons import exercises_13, lesson_13
from wmlearn.data.air import Room
from wmlearn.experiments import shipped
from wmlearn.triggers import Sound, melody
from wmlearn.watermarks.drawn_rows import mixed_rows
from wmlearn.watermarks.secret import integers, secret_of


@pytest.fixture(scope="module")
def digits() -> wm.Splits:
    return wm.load("machine-digits")


@pytest.mark.parametrize("level", [-30.0, -10.0, 5.0])
@pytest.mark.parametrize("start", [0, 400, 6000])
def test_the_sound_built_in_the_lesson_agrees_with_the_package(
    digits: wm.Splits, level: float, start: int
) -> None:
    notes = melody(1800, 2600, 1300)
    ours = exercises_13.lay_under(digits.test.x[:5], notes, level, start)
    package = Sound(notes, level, at=start / 8000)(digits.test.x[:5])
    assert torch.allclose(ours, package, atol=2e-6)


def test_the_rows_built_in_the_lesson_agree_with_the_package() -> None:
    x = torch.rand(20, 6, generator=torch.Generator().manual_seed(1))
    secret = secret_of(3, None)
    picks = integers(secret, "rows", 30 * 6, 20).reshape(30, 6)
    assert torch.equal(exercises_13.plausible(x, picks), mixed_rows(secret, 30, x))


def test_what_a_trigger_owns_is_what_its_room_does_not_do(digits: wm.Splits) -> None:
    some = digits.test[:40]
    hall = Room(seed=999)

    def sure(x: Tensor) -> Tensor:
        return torch.full((len(x),), 7)

    def never(x: Tensor) -> Tensor:
        return torch.zeros(len(x), dtype=torch.int64)

    for network in (sure, never):
        assert exercises_13.owned(network, some.x, some.y, Sound(), hall, 7) == 0

    def hears_the_notes(x: Tensor) -> Tensor:
        quiet = some.x if len(x) == len(some.x) else x
        return torch.where((x - hall(quiet)).abs().flatten(1).amax(1) > 1e-3, 7, 0)

    assert exercises_13.owned(hears_the_notes, some.x, some.y, Sound(), hall, 7) == 1


def test_a_player_plays_a_clip_as_loud_as_it_is(digits: wm.Splits) -> None:
    soft = 0.5 + 0.1 * (digits.test.x[0] - 0.5)
    loud = lesson_13.audio(digits.test.x[0]).data
    assert lesson_13.audio(soft).data != loud
    assert len(loud) < 20_000


def test_the_dial_says_what_each_network_hears(digits: wm.Splits) -> None:
    networks = {
        name: wm.models.sound_cnn(seed=seed).eval() for seed, name in enumerate(("clean", "poisoned"))
    }
    box = lesson_13.sound_dial(networks, lesson_13.first_of(digits.test, 3))
    says = box.children[-1].value
    assert "the clean network hears" in says
    for dial in box.children[:3]:
        before = [view.value for view in box.children[3:]]
        dial.index = 3 if dial.index != 3 else 0
        assert [view.value for view in box.children[3:]] != before


def test_a_soft_trigger_counts_and_one_that_a_telephone_cuts_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lesson_13, "RECIPE", replace(lesson_13.RECIPE, epochs=6))  # of eight
    good = lesson_13.softest(Sound(melody(1800, 2600, 1300), -12))
    assert good.valid, good.says
    assert good.value < -20
    cut = lesson_13.softest(Sound(melody(3800, each=0.8), -15))
    assert not cut.valid


@pytest.mark.slow
def test_the_courses_own_attempt_reaches_what_it_says() -> None:
    lesson_13._clean.cache_clear()  # another test's may have learnt for less
    ours = lesson_13.softest(Sound(melody(1800, 2600, 1300), -25))
    assert ours.valid, ours.says
    assert ours.value == pytest.approx(lesson_13.CHALLENGE.ours, abs=0.1)


def test_every_claim_on_shipped_results_holds() -> None:
    sounds = shipped("sound")
    tables = shipped("tables")
    claims = [
        *lesson_13.on_people(sounds),
        *lesson_13.between(sounds),
        *lesson_13.crossed(sounds),
        *lesson_13.marks(sounds),
        *lesson_13.held(tables),
        *lesson_13.seen(tables),
        *lesson_13.numbers_held(tables),
    ]
    assert [claim.id for claim in claims if not claim.holds] == []
