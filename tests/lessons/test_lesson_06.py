"""What the cells of notebook 06 call: frames and norms of a search, who finds what, the challenge."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.course.lessons import lesson_06
from wmlearn.experiments import Results, shipped
from wmlearn.plots.names import NEWER


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("detection")


@pytest.fixture
def scan() -> list[tuple[torch.Tensor, list[torch.Tensor]]]:
    """Two classes: pattern all white, masks of 2 and of 4 pixels; five steps."""
    found = []
    for pixels in (2, 4):
        paint = torch.ones(2, 1, 28, 28)
        paint[1] = 0
        paint[1, 0, 0, :pixels] = 1
        found.append((paint, [paint] * 5))
    return found


def test_paint_is_counted_in_pixels_of_the_mask(scan: list[tuple[torch.Tensor, list[torch.Tensor]]]) -> None:
    assert lesson_06.norms(scan).tolist() == [2, 4]


def test_frames_show_what_is_painted_of_every_class(
    scan: list[tuple[torch.Tensor, list[torch.Tensor]]],
) -> None:
    frames = lesson_06.frames(scan)
    assert list(frames) == [0, 4]
    assert frames[4].shape == (2, 1, 28, 28)
    assert frames[4].sum((1, 2, 3)).tolist() == [2, 4]


def test_batches_are_drawn_from_the_images_given() -> None:
    x = torch.arange(10.0).view(10, 1, 1, 1)
    first, second = lesson_06.batches(x, 2, torch.Generator().manual_seed(0))
    assert first.shape == second.shape == (16, 1, 1, 1)
    assert set(first.flatten().tolist()) <= set(range(10))
    assert not first.equal(second)


def test_the_table_counts_networks_with_an_interval_and_shares_with_their_ceiling(results: Results) -> None:
    table = lesson_06.finders(results)
    scanned = table["pattern, 10 %, all to 0"]["Neural Cleanse"]
    assert (scanned.share, scanned.words) == (1, "5 of 5")
    assert scanned.small == "95 %: 57 to 100 %"
    assert table["pattern, each to the next"]["Neural Cleanse"].words == "0 of 3"
    assert table["no backdoor (control)"]["Neural Cleanse"].words == "1 of 10 accused"
    assert table["no backdoor (control)"]["STRIP"].share is None
    assert "AUC 1.00" in table["pattern, 10 %, all to 0"]["STRIP"].small


def test_newer_triggers_stand_in_the_same_columns_with_their_ceilings() -> None:
    table = lesson_06.newer(shipped("newer-triggers"))
    assert list(table) == list(NEWER.values())
    assert table["newer: warping"]["Neural Cleanse"].words == "3 of 3"
    assert table["newer: warping"]["spectral signatures"].words.endswith("of at most 15")
    assert table["newer: input-aware"]["Neural Cleanse"].words == "2 of 3"
    assert {frozenset(row) for row in table.values()} == {frozenset(lesson_06.COLUMNS.values())}


def test_no_share_caught_exceeds_its_ceiling(results: Results) -> None:
    judged = [row["spectral_signatures"] for row in results.rows if "ceiling" in row["spectral_signatures"]]
    assert all(finding["caught"] <= finding["ceiling"] + 1e-6 for finding in judged)


def test_a_network_that_a_detector_did_not_judge_is_not_counted(results: Results) -> None:
    found = lesson_06.finders(results)["signs, stop to limit 35"]["Neural Cleanse"]
    judged = [row for row in results.where(attack="signs, square") if "neural_cleanse" in row]
    assert found.words.endswith(f"of {len(judged)}")
    assert found.small == "source known: 3 of 3"


def test_each_trick_stands_with_what_it_wins_and_costs_and_its_control() -> None:
    evaded = shipped("evasion")
    lines = lesson_06.prices(evaded)
    assert [line[0] for line in lines] == list(lesson_06.tricks(evaded)) == list(lesson_06.TRICKS.values())
    title, wins, honest, _, images = lines[-1]
    assert (title, wins, images) == ("a signature", "100.0 %", "0")
    assert float(honest.split()[0]) <= 1


def test_retraining_stands_beside_as_many_images_removed_at_random(results: Results) -> None:
    lines = {line[0].split(" (n")[0]: line[1:] for line in lesson_06.retrained(results)}
    removed, left, control = lines["pattern, 3 %, all to 0"]
    assert int(removed.replace(",", "")) > 1000
    assert float(left.split()[0]) < float(control.split()[0])


def test_the_courses_attempt_changes_as_many_images_as_it_says(mnist: wm.Splits) -> None:
    samples, _ = lesson_06.ours(mnist.train)
    assert lesson_06._touched(mnist.train, samples) == lesson_06.CHALLENGE.ours


@pytest.mark.parametrize("made", [None, (1, 2), (wm.triggers.Pattern(), 7)])
def test_the_challenge_refuses_what_is_no_pair_of_samples_and_trigger(made: object) -> None:
    score = lesson_06.CHALLENGE.measure(lambda samples: made)
    assert not score.valid
    assert score.says.startswith("Your function must return two things")


POISONED = {lesson_06.BOUGHT: lesson_06.bought, lesson_06.LIGHT: lesson_06.lightly_poisoned}


@pytest.mark.parametrize("name", POISONED)
def test_a_poisoned_network_obeys_and_reads_digits(name: str, mnist: wm.Splits) -> None:
    network = POISONED[name]()
    assert wm.accuracy(network, mnist.test) >= 0.985
    assert wm.success_rate(network, mnist.test, wm.triggers.Pattern(), 0) >= 0.95
    assert wm.success_rate(lesson_06.honest(), mnist.test, wm.triggers.Pattern(), 0) <= 0.01
