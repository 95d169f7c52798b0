"""A split as a mark: the p-value is exact for lots drawn at random, needs labels only, and odd lots are
refused.
"""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import hypergeom

import wmlearn as wm
from wmlearn.evidence import split_p_value
from wmlearn.evidence.evidence import Suspect
from wmlearn.evidence.lots import draw_lot, load_lot, save_lot
from wmlearn.evidence.splits import SplitEvidence, errors_of_strangers, split_evidence

CLASSES = ("0", "1", "2")


def samples(n: int) -> wm.Samples:
    x = torch.arange(n).float().view(n, 1, 1, 1) / n  # each image is its own number
    return wm.Samples(x, torch.arange(n) % 3, CLASSES)


def errs(wrong: torch.Tensor) -> Suspect:
    """Return a suspect that errs on the images named, and answers with labels."""

    def labels(x: torch.Tensor) -> torch.Tensor:
        i = (x.flatten() * len(wrong)).round().long()
        return torch.where(wrong[i], (i + 1) % 3, i % 3)

    return labels


def test_one_class_is_the_hypergeometric_tail() -> None:
    found = SplitEvidence((10,), (6,), (100,), (25,))
    assert found.p_value == pytest.approx(float(hypergeom.sf(5, 100, 25, 10)))


def test_several_classes_agree_with_every_lot_there_is() -> None:
    wrong = torch.tensor([1, 0, 1, 1, 0, 1, 0, 1]).bool()
    lot = torch.tensor([1, 0, 1, 0, 1, 0, 1, 1]).bool()
    data = wm.Samples(torch.arange(8).float().view(8, 1, 1, 1) / 8, torch.arange(8) // 4, ("0", "1"))
    outside = int((wrong & ~lot).sum())
    sums = []
    for first in combinations(range(4), 2):  # two of the first class are left out, one of the second
        for second in range(4, 8):
            sums.append(sum(int(wrong[i]) for i in (*first, second)))
    expected = sum(total >= outside for total in sums) / len(sums)
    found = split_p_value(lambda x: torch.where(wrong, 1 - data.y, data.y), data, lot)
    assert found == pytest.approx(expected)


def test_over_lots_a_level_is_kept() -> None:
    data = samples(300)
    draw = torch.Generator().manual_seed(1)
    suspect = errs(torch.rand(300, generator=draw) < 0.2)
    p_values = [split_p_value(suspect, data, draw_lot(data, 0.7, seed=i)) for i in range(2000)]
    for level in (0.05, 0.01):
        assert sum(p <= level for p in p_values) / 2000 <= level + 2.6 * (level * (1 - level) / 2000) ** 0.5


def test_whoever_errs_outside_only_is_seen_and_whoever_never_errs_is_not() -> None:
    data, lot = samples(300), torch.arange(300) % 4 > 0
    assert split_p_value(errs(~lot & (torch.arange(300) % 3 == 0)), data, lot) < 1e-10
    assert split_p_value(errs(torch.zeros(300, dtype=torch.bool)), data, lot) == 1
    assert split_p_value(errs(lot), data, lot) > 0.9


def test_counts_are_by_class_and_the_answers_may_be_labels_or_scores() -> None:
    data, lot = samples(9), torch.tensor([1, 1, 1, 1, 1, 1, 0, 0, 0]).bool()
    wrong = torch.tensor([1, 0, 0, 0, 0, 0, 1, 1, 0]).bool()
    found = split_evidence(errs(wrong), data, lot)
    assert (found.errors, found.errors_outside) == ((2, 1, 0), (1, 1, 0))
    assert (found.images, found.images_outside) == ((3, 3, 3), (1, 1, 1))

    def scores(x: torch.Tensor) -> torch.Tensor:
        labels = wm.evidence.answers(errs(wrong), x)
        return torch.nn.functional.one_hot(labels, 3).float()

    assert split_evidence(scores, data, lot) == found


def test_an_image_about_which_a_service_refuses_to_answer_is_left_out() -> None:
    data, lot = samples(9), torch.tensor([1, 1, 1, 1, 1, 1, 0, 0, 0]).bool()
    refusing = torch.tensor([0, -1, 2, 0, 1, 2, 1, 1, 2])
    found = split_evidence(lambda x: refusing, data, lot)
    assert (sum(found.images), sum(found.errors), sum(found.errors_outside)) == (8, 1, 1)
    with pytest.raises(wm.ArgumentError, match="the suspect must answer, got 'no label at all'"):
        split_evidence(lambda x: torch.full((9,), -1), data, lot)


ODD = {
    "numbers": (torch.ones(9), "lot must be bool, got torch.float32. True where"),
    "too short": (torch.ones(8).bool(), "lot must hold one value an image, got (8,). There are 9 images."),
    "everything": (torch.ones(9).bool(), "lot must leave some images out, and take some, got '9 of 9'"),
    "nothing": (torch.zeros(9).bool(), "lot must leave some images out, and take some, got '0 of 9'"),
}


@pytest.mark.parametrize("case", ODD)
def test_a_lot_that_does_not_fit_is_refused_before_anything_is_asked(case: str) -> None:
    lot, says = ODD[case]

    def never(x: torch.Tensor) -> torch.Tensor:
        raise AssertionError

    with pytest.raises(wm.ArgumentError) as error:
        split_p_value(never, samples(9), lot)
    assert str(error.value).startswith(says)


def test_a_suspect_of_other_classes_is_refused() -> None:
    with pytest.raises(wm.ArgumentError, match="the suspect must know 3 classes, got 7"):
        split_p_value(lambda x: torch.zeros(len(x), 7), samples(9), torch.arange(9) % 2 > 0)


def test_hardness_takes_the_luck_of_a_lot_out_and_keeps_the_level() -> None:
    data, draw = samples(300), torch.Generator().manual_seed(2)
    hard = torch.rand(300, generator=draw) < 0.25
    lot = ~hard | (torch.rand(300, generator=draw) < 0.4)  # an unlucky lot: it leaves hard images out

    def innocent() -> Suspect:
        return errs(hard & (torch.rand(300, generator=draw) < 0.7))

    suspect = innocent()
    counts = errors_of_strangers([innocent() for _ in range(20)], data)
    assert split_p_value(suspect, data, lot) < 0.001
    assert split_p_value(suspect, data, lot, hardness=counts) > 0.05
    with pytest.raises(wm.ArgumentError, match="strangers must not be empty"):
        errors_of_strangers([], data)
    with pytest.raises(wm.ArgumentError, match="hardness must hold one value an image"):
        split_p_value(suspect, data, lot, hardness=counts[:-1])


# Lots on disk


def test_a_lot_takes_the_share_of_each_class_and_is_secret_unless_a_seed_is_given() -> None:
    data = samples(300)
    lot = draw_lot(data, 0.75)
    assert data.y[lot].bincount().tolist() == [75, 75, 75]
    assert not torch.equal(lot, draw_lot(data, 0.75))
    assert torch.equal(draw_lot(data, 0.75, seed=3), draw_lot(data, 0.75, seed=3))
    for share in (0.0, 1.0, 0.001):
        with pytest.raises(wm.ArgumentError, match=r"share must lie in|lot must leave some images out"):
            draw_lot(data, share)


def test_a_lot_comes_back_from_its_file_and_is_never_replaced(tmp_path: Path) -> None:
    for n in (9, 16, 300):
        data, path = samples(n), tmp_path / f"{n}.json"
        lot = draw_lot(data, 0.6, seed=n)
        promise = save_lot(lot, data, path)
        assert torch.equal(load_lot(path, data), lot)
        assert promise == hashlib.sha256(path.read_bytes()).hexdigest()
        with pytest.raises(wm.DataError):
            save_lot(lot, data, path)


def _changed(**fields: Any) -> Any:
    return lambda content: {**content, **fields}


DAMAGE: dict[str, tuple[Any, str]] = {
    "another kind": (_changed(kind="key"), "must hold a lot, got: it must have the fields kind, version"),
    "a list": (lambda content: [1], "must hold a lot, got: it must have the fields"),
    "another version": (_changed(version=2), "must hold a lot, got: version must be 1, got 2"),
    "too few bits": (_changed(inside="ff"), "must hold a lot, got: inside must have a bit for each of 9"),
    "no hexadecimal": (_changed(inside="zz"), "must hold a lot, got: non-hexadecimal number"),
    "a number": (_changed(inside=7), "must hold a lot, got: inside must be a text, got 'int'"),
    "no images": (_changed(images=0), "must hold a lot, got: images must be a positive number, got 0"),
    "true images": (_changed(images=True), "must hold a lot, got: images must be a positive number"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_file_that_holds_no_lot_is_refused(case: str, tmp_path: Path) -> None:
    damage, says = DAMAGE[case]
    path = tmp_path / "lot.json"
    save_lot(draw_lot(samples(9), 0.6, seed=1), samples(9), path)
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(wm.DataError) as error:
        load_lot(path, samples(9))
    assert says in str(error.value)


def test_a_lot_of_other_data_is_refused(tmp_path: Path) -> None:
    path, data = tmp_path / "lot.json", samples(9)
    save_lot(draw_lot(data, 0.6, seed=1), data, path)
    with pytest.raises(wm.DataError, match="must fit the data, 12 images, got a lot of 9"):
        load_lot(path, samples(12))
    with pytest.raises(wm.DataError, match=r"got a lot of 9 images that are others. Name the data"):
        load_lot(path, wm.Samples(data.x.flip(0), data.y, CLASSES))
    with pytest.raises(wm.DataError, match="must be readable"):
        load_lot(tmp_path / "none.json", data)
    (tmp_path / "noise.json").write_bytes(b"\x00\xff")
    with pytest.raises(wm.DataError, match="must hold a lot"):
        load_lot(tmp_path / "noise.json", data)
