"""The ledger measured anew: the networks that ship, trained again as they were made, give the same claims.

Half an hour, so only on demand: `pytest -m slow tests/ledger`.
"""

from __future__ import annotations

import pytest

import wmlearn as wm
from wmlearn.course.lessons import lesson_05, lesson_06, lesson_10, lesson_12
from wmlearn.evidence import answers
from wmlearn.experiments import signs, street, transfer
from wmlearn.models.shipped import restored

pytestmark = pytest.mark.slow  # trains seventeen networks


@pytest.mark.parametrize("network", street.NETWORKS)
def test_a_detector_trained_again_gives_the_claims_of_the_shipped_one(network: str) -> None:
    anew = street.measure(street.fit(network))
    shipped = street.measure(street.shipped_detector(network))
    assert anew["ap50"] == pytest.approx(shipped["ap50"], abs=0.02)
    assert anew["accuracy"] == pytest.approx(shipped["accuracy"], abs=0.04)
    for sticker in street.STICKERS:
        assert anew["misread"][sticker]["rate"] == pytest.approx(
            shipped["misread"][sticker]["rate"], abs=0.05
        )


def test_a_detector_trained_again_by_wrong_labels_reads_no_sign_with_the_sticker_rightly() -> None:
    row = street.measure_random(street.fit("random"))
    assert row["stickered_accuracy"] <= 0.15


@pytest.mark.parametrize("place", ["rendered", "photographs"])
def test_networks_of_signs_trained_again_give_the_claims_of_the_shipped_ones(
    place: str, request: pytest.FixtureRequest
) -> None:
    if place == "photographs":
        request.getfixturevalue("photographs")
        test = signs.photographs().test
        twins = signs.STICKERS["square"](test.x)
    else:
        test = signs.rendered_test(None)
        twins = signs.rendered_test(signs.STICKERS["square"]).x
    networks = signs.two_networks(retrain=True, place=place)
    for anew, shipped in zip(networks, signs.two_networks(place=place), strict=True):
        assert wm.accuracy(anew, test) == pytest.approx(wm.accuracy(shipped, test), abs=0.005)
        success = wm.success_rate(anew, test, twins, signs.LIMIT, source=signs.STOP)
        shipped_success = wm.success_rate(shipped, test, twins, signs.LIMIT, source=signs.STOP)
        assert success == pytest.approx(shipped_success, abs=0.02)


@pytest.mark.parametrize("name", ["clean", "backdoored"])
def test_an_origin_trained_again_gives_the_claims_of_the_shipped_one(name: str) -> None:
    anew = transfer.origin(name)
    shipped = lesson_05.shipped_origins()[name]
    for stickered in (False, True):
        test = transfer.us_signs(transfer.N_TEST, seed=91, stickered=stickered)
        assert wm.accuracy(anew, test) == pytest.approx(wm.accuracy(shipped, test), abs=0.03)


MADE = {
    "06": lambda: {name: lesson_06.made(name) for name in lesson_06.RATES},
    "10": lambda: {lesson_10.CLAIMED: lesson_10.marked_anew(wm.best_device())},
    "12": lesson_12.made,
}
"""A lesson -> what makes anew the networks that ship for it, by name."""


@pytest.mark.parametrize("lesson", MADE)
def test_a_network_of_a_lesson_made_again_answers_as_the_shipped_one_does(
    lesson: str, mnist: wm.Splits
) -> None:
    for name, anew in MADE[lesson]().items():
        shipped = restored(wm.models.badnet_cnn(), name)
        differs = answers(anew.cpu(), mnist.test.x) != answers(shipped, mnist.test.x)
        assert differs.float().mean() <= 0.003
