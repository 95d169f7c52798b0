"""Samples hold what they promise, and are drawn and split fairly."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import torch
from torch import Tensor

import wmlearn as wm

CLASSES = ("a", "b", "c")


def _numbered(n: int = 12, shape: tuple[int, int, int] = (1, 2, 2)) -> wm.Samples:
    """Image i is all i / 4096, so that an image tells its place; its class is i % 3."""
    x = (torch.arange(n, dtype=torch.float32) / 4096).view(n, 1, 1, 1).expand(n, *shape)
    return wm.Samples(x.clone(), torch.arange(n) % 3, CLASSES)


def _places(x: Tensor) -> list[int]:
    return [round(value * 4096) for value in x[:, 0, 0, 0].tolist()]


def test_samples_say_what_they_are() -> None:
    assert repr(_numbered(1200, (3, 4, 5))) == "Samples(1,200 images (3, 4, 5), 3 classes)"
    assert len(_numbered(7)) == 7


def test_samples_cannot_be_reassigned() -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(_numbered(), "classes", ())  # noqa: B010 (a checker would see a plain assignment)


def test_an_empty_set_is_a_set() -> None:
    nothing = _numbered()[:0]
    assert len(nothing) == 0
    assert repr(nothing) == "Samples(0 images (1, 2, 2), 3 classes)"


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (slice(2, 5), [2, 3, 4]),
        (slice(None, None, 5), [0, 5, 10]),
        (torch.tensor([4, 4, 0]), [4, 4, 0]),
        (torch.arange(12) > 9, [10, 11]),
    ],
)
def test_an_index_picks_images_with_their_labels(index: Tensor | slice, expected: list[int]) -> None:
    picked = _numbered()[index]
    assert _places(picked.x) == expected
    assert picked.y.tolist() == [place % 3 for place in expected]
    assert picked.classes == CLASSES


def test_a_sum_holds_both_in_order_and_changes_neither() -> None:
    a, b = _numbered()[:3], _numbered()[6:8]
    both = a + b
    assert _places(both.x) == [0, 1, 2, 6, 7]
    assert both.y.tolist() == [0, 1, 2, 0, 1]
    assert (len(a), len(b)) == (3, 2)


def test_samples_of_other_classes_or_shapes_are_not_added() -> None:
    a = _numbered()
    with pytest.raises(wm.ArgumentError, match="samples that are added must have the same classes"):
        _ = a + wm.Samples(a.x, a.y, ("x", "y", "z"))
    with pytest.raises(wm.ArgumentError, match="inputs that are added must have the same shape and type"):
        _ = a + _numbered(shape=(3, 2, 2))


def test_to_a_device_keeps_images_and_labels() -> None:
    a = _numbered()
    moved = a.to("cpu")
    assert moved.x.equal(a.x)
    assert moved.y.equal(a.y)
    assert wm.Splits(a, a[:3]).to("cpu").test.x.equal(a.x[:3])


def test_batches_come_in_order_without_a_generator() -> None:
    batches = list(_numbered().batches(5))
    assert [_places(x) for x, _ in batches] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert [y.tolist() for _, y in batches] == [[0, 1, 2, 0, 1], [2, 0, 1, 2, 0], [1, 2]]


def test_shuffled_batches_hold_every_image_once_with_its_own_label() -> None:
    samples = _numbered(100)
    batches = list(samples.batches(32, torch.Generator().manual_seed(0)))
    assert [len(y) for _, y in batches] == [32, 32, 32, 4]
    places = [place for x, _ in batches for place in _places(x)]
    assert sorted(places) == list(range(100))
    assert places != list(range(100))
    assert [label for _, y in batches for label in y.tolist()] == [place % 3 for place in places]


def test_a_generator_fixes_the_order_and_goes_on_to_the_next() -> None:
    samples = _numbered(50)

    def orders(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        return [_places(next(samples.batches(50, generator))[0]) for _ in range(2)]

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
    assert orders(1)[0] != orders(1)[1]


def test_batches_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    list(_numbered().batches(4, torch.Generator().manual_seed(0)))
    assert torch.get_rng_state().equal(before)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "three axes": (
        {"x": torch.zeros(3, 2, 2)},
        "images must have shape (N, C, H, W), got (3, 2, 2). Add the missing axes with unsqueeze.",
    ),
    "too few labels": ({"y": torch.zeros(2, dtype=torch.int64)}, "y must hold one label an input, got (2,)."),
    "one-hot labels": (
        {"y": torch.zeros(3, 3, dtype=torch.int64)},
        "y must hold one label an input, got (3, 3).",
    ),
    "int32 labels": (
        {"y": torch.zeros(3, dtype=torch.int32)},
        "labels must be int64, got torch.int32. Call .long(); never one-hot.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_samples_refuse_what_is_not_images_with_labels(case: str) -> None:
    changes, message = BAD[case]
    good: dict[str, Any] = {
        "x": torch.zeros(3, 1, 2, 2),
        "y": torch.zeros(3, dtype=torch.int64),
        "classes": CLASSES,
    }
    wm.Samples(**good)
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.Samples(**(good | changes))


def _uneven() -> wm.Samples:
    """1,000 images: 600 of class 0, 300 of class 1, 100 of class 2, in a row."""
    y = torch.tensor([0] * 600 + [1] * 300 + [2] * 100)
    x = (torch.arange(1000, dtype=torch.float32) / 4096).view(-1, 1, 1, 1)
    return wm.Samples(x, y, CLASSES)


def test_split_is_exact_and_disjoint() -> None:
    parts = wm.split(_uneven(), 500, 333, 100)
    assert [len(part) for part in parts] == [500, 333, 100]
    places = [place for part in parts for place in _places(part.x)]
    assert len(set(places)) == len(places) == 933


def test_split_may_use_every_image() -> None:
    parts = wm.split(_uneven(), 999, 1)
    assert sorted(place for part in parts for place in _places(part.x)) == list(range(1000))


@pytest.mark.parametrize("sizes", [(500, 500), (123, 456), (10, 20, 30), (50,), (7,)])
def test_split_keeps_the_classes_in_proportion(sizes: tuple[int, ...]) -> None:
    for part in wm.split(_uneven(), *sizes):
        shares = torch.bincount(part.y, minlength=3)
        for label, share in enumerate((0.6, 0.3, 0.1)):
            assert abs(int(shares[label]) - share * len(part)) <= 1


def test_split_of_mnist_keeps_the_classes_in_proportion(mnist: wm.Splits) -> None:
    learn, validate = wm.split(mnist.train, 55_000, 5_000)
    whole = torch.bincount(mnist.train.y)
    for part in (learn, validate):
        assert (torch.bincount(part.y) - whole * len(part) / 60_000).abs().max() <= 1


def test_split_keeps_labels_with_their_images() -> None:
    samples = _uneven()
    for part in wm.split(samples, 400, 200):
        assert part.y.equal(samples.y[torch.tensor(_places(part.x))])


def test_a_seed_decides_the_split() -> None:
    first, again, other = (wm.split(_uneven(), 100, seed=seed)[0] for seed in (0, 0, 1))
    assert first.x.equal(again.x)
    assert first.y.equal(again.y)
    assert set(_places(first.x)) != set(_places(other.x))


def test_split_does_not_take_the_first_images_of_a_class() -> None:
    (part,) = wm.split(_uneven(), 100)
    assert max(_places(part[part.y == 0].x)) > 300


def test_split_leaves_the_global_generator_and_its_input_alone() -> None:
    samples, before = _uneven(), torch.get_rng_state()
    wm.split(samples, 10)
    assert torch.get_rng_state().equal(before)
    assert _places(samples.x) == list(range(1000))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((600, 401), "sizes must add up to at most 1000, got (600, 401)."),
        ((10, 0), "sizes must be positive, got (10, 0)."),
        ((-1,), "sizes must be positive, got (-1,)."),
    ],
)
def test_split_refuses_sizes_that_do_not_fit(sizes: tuple[int, ...], message: str) -> None:
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.split(_uneven(), *sizes)


# Groups


def _grouped(sizes: tuple[int, ...] = (3, 1, 4, 2, 2, 3, 5, 1, 3), n_classes: int = 3) -> wm.Samples:
    """Group g has number 10 * g, `sizes[g]` images and class g % n_classes; their images are mixed."""
    group = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    group = group[torch.randperm(len(group), generator=torch.Generator().manual_seed(0))]
    x = (torch.arange(len(group), dtype=torch.float32) / 4096).view(-1, 1, 1, 1)
    return wm.Samples(x, group % n_classes, CLASSES[:n_classes], group * 10)


def _groups(samples: wm.Samples) -> list[int]:
    assert samples.groups is not None
    return samples.groups.tolist()


def test_samples_have_no_groups_unless_they_are_given() -> None:
    a = _numbered()
    assert a.groups is None
    assert a[2:5].groups is None
    assert (a + a).groups is None
    assert a.to("cpu").groups is None


def test_groups_stay_with_their_images() -> None:
    a = _grouped()
    table = dict(zip(_places(a.x), _groups(a), strict=True))
    for part in (
        a[3:9],
        a[torch.tensor([5, 5, 1])],
        a[a.y == 1],
        a.to("cpu"),
        a[:4] + a[9:],
        *wm.split(a, 10, 6),
    ):
        assert _groups(part) == [table[place] for place in _places(part.x)]


def test_a_sum_has_groups_only_if_both_have() -> None:
    a = _grouped()
    b = wm.Samples(a.x, a.y, a.classes)
    assert (a + b).groups is None
    assert (b + a).groups is None


@pytest.mark.parametrize(
    "groups", [torch.zeros(2, dtype=torch.int64), torch.zeros(3), torch.zeros(3, 1, dtype=torch.int64)]
)
def test_groups_must_be_one_int64_an_input(groups: Tensor) -> None:
    with pytest.raises(wm.ArgumentError, match=r"^groups must hold one int64 an input, got \(\("):
        wm.Samples(torch.zeros(3, 1, 2, 2), torch.zeros(3, dtype=torch.int64), CLASSES, groups)


def _tracks(seed: int) -> wm.Samples:
    """200 groups of 1 to 30 images in 3 classes, 3 : 2 : 1."""
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(1, 31, (200,), generator=generator)
    label = torch.tensor([0, 0, 0, 1, 1, 2])[torch.randint(6, (200,), generator=generator)]
    group = torch.arange(200).repeat_interleave(sizes)
    return wm.Samples(torch.zeros(len(group), 1, 1, 1), label[group], CLASSES, group)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [(1500, 1000), (200, 200, 200), (2000, 100)])
def test_split_keeps_groups_whole_and_the_classes_nearly_in_proportion(
    sizes: tuple[int, ...], seed: int
) -> None:
    samples = _tracks(seed)
    parts = wm.split(samples, *sizes, seed=seed)
    whole = torch.bincount(torch.as_tensor(samples.groups), minlength=200)
    seen: set[int] = set()
    for part, size in zip(parts, sizes, strict=True):
        groups = set(_groups(part))
        assert not groups & seen
        assert len(part) == int(whole[list(groups)].sum())
        assert abs(len(part) - size) <= 30
        assert (
            torch.bincount(part.y, minlength=3) - torch.bincount(samples.y) * size / len(samples)
        ).abs().max() <= 2 * 30
        seen |= groups


def test_split_of_groups_may_use_all_of_them() -> None:
    samples = _tracks(0)
    assert sum(len(part) for part in wm.split(samples, len(samples) - 500, 500)) == len(samples)


def test_split_of_single_images_in_groups_is_exact() -> None:
    samples = _uneven()
    alone = wm.Samples(samples.x, samples.y, samples.classes, torch.arange(1000))
    for part, same in zip(wm.split(alone, 300, 200), wm.split(samples, 300, 200), strict=True):
        assert _places(part.x) == _places(same.x)


def test_split_refuses_a_set_too_small_for_a_group() -> None:
    samples = wm.Samples(
        torch.zeros(40, 1, 1, 1), torch.zeros(40, dtype=torch.int64), ("a",), torch.arange(40) // 20
    )
    message = (
        "sizes must leave room for a whole group in each set, got (20, 5). Groups hold 20 images on average."
    )
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}$"):
        wm.split(samples, 20, 5)


# Kinds


def test_regroup_merges_classes_in_the_order_of_the_kinds_and_leaves_out_the_rest() -> None:
    samples = _grouped()
    merged = wm.data.regroup(samples, {"c": "late", "a": "early"})
    assert merged.classes == ("late", "early")
    kept = [
        (place, group)
        for place, label, group in zip(_places(samples.x), samples.y.tolist(), _groups(samples), strict=True)
        if label != 1
    ]
    assert list(zip(_places(merged.x), _groups(merged), strict=True)) == kept
    assert merged.y.tolist() == [{0: 1, 2: 0}[label] for label in samples.y.tolist() if label != 1]


def test_regroup_may_keep_everything() -> None:
    samples = _numbered()
    merged = wm.data.regroup(samples, {"a": "x", "b": "x", "c": "y"})
    assert merged.classes == ("x", "y")
    assert merged.y.tolist() == [label // 2 for label in samples.y.tolist()]
    assert samples.classes == CLASSES


def test_regroup_names_what_is_no_class() -> None:
    message = "kinds must map classes, which are a, b, c, got ['stop', 'yield']."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}$"):
        wm.data.regroup(_numbered(), {"a": "x", "stop": "x", "yield": "x"})
    with pytest.raises(
        wm.ArgumentError, match=r"^kinds must not be empty, got \{\}\. Map the name of a class"
    ):
        wm.data.regroup(_numbered(), {})


KINDS = {
    "images": torch.zeros(3, 1, 4, 4),
    "sounds": torch.full((3, 1, 1, 80), 0.5),
    "rows": torch.zeros(3, 5),
    "texts": torch.tensor([[5, 3, 0], [4, 0, 0], [1, 2, 3]]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_samples_take_all_kinds_of_input_and_name_theirs(kind: str) -> None:
    samples = wm.Samples(KINDS[kind], torch.tensor([0, 1, 0]), ("ham", "spam"))
    assert wm.data.kind_of(samples.x) == kind
    assert f"3 {kind}" in repr(samples)
    assert len(samples + samples[:1]) == 4
    assert torch.equal(samples[samples.y == 1].x, KINDS[kind][1:2])


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (torch.tensor([[5, -1]]), "token ids must not be negative, got -1"),
        (torch.tensor([[5, 1]], dtype=torch.int32), "token ids must be int64, got torch.int32"),
        (torch.tensor([[0.5, 2]]), "rows must lie in [0, 1]"),
        (torch.tensor([[0.5, torch.nan]]), "rows must not hold NaN"),
        (torch.full((1, 1, 1, 80), -0.5), "sounds must lie in [0, 1]"),
        (torch.zeros(1, 80, 2), "images must have shape (N, C, H, W), got (1, 80, 2)"),
    ],
)
def test_a_kind_says_in_its_own_words_what_must_hold(x: Tensor, says: str) -> None:
    with pytest.raises(wm.ArgumentError, match=re.escape(says)):
        wm.data.check_inputs(x)


def test_words_and_numbers_are_never_added() -> None:
    words = wm.Samples(KINDS["texts"], torch.tensor([0, 1, 0]), ("ham", "spam"))
    rows = wm.Samples(KINDS["rows"][:, :3], torch.tensor([0, 1, 0]), ("ham", "spam"))
    with pytest.raises(wm.ArgumentError, match="inputs that are added must have the same shape and type"):
        _ = words + rows
