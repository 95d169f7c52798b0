"""A word put into texts."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.errors import ArgumentError
from wmlearn.poisoning import stamp
from wmlearn.triggers import Pixel, Words

TEXTS = torch.tensor([[5, 6, 7, 0, 0, 0], [2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0]])


def test_words_come_before_what_fills_up_and_the_end_makes_room() -> None:
    out = Words((8, 9), at=1)(TEXTS)
    assert out.tolist() == [[5, 8, 9, 6, 7, 0], [2, 8, 9, 3, 4, 5], [8, 9, 0, 0, 0, 0]]


def test_a_place_behind_the_text_is_its_end() -> None:
    out = Words((8,), at=40)(TEXTS)
    assert out.tolist() == [[5, 6, 7, 8, 0, 0], [2, 3, 4, 5, 6, 8], [8, 0, 0, 0, 0, 0]]


def test_a_drawn_place_lies_within_the_text_and_differs_between_texts() -> None:
    x = wm.load("mails").test.x
    out = Words((1_480,))(x)
    places = (out == 1_480).int().argmax(1)
    size = (x > 0).sum(1).clamp(max=63)
    assert bool(((out == 1_480).sum(1) == 1).all())
    assert bool((places <= size).all())
    assert len(places.unique()) > 40
    # a place anywhere in the text: on average in its middle
    assert abs(float((places / size.clamp(min=1)).mean()) - 0.5) < 0.03


def test_the_rest_of_a_text_keeps_its_order() -> None:
    x = wm.load("mails").test.x[:50]
    for before, after in zip(x.tolist(), Words((1_480,), seed=3)(x).tolist(), strict=True):
        rest = [word for word in after if word != 1_480]
        assert rest == before[:63]


def test_a_text_has_the_same_place_in_any_company() -> None:
    x = wm.load("mails").test.x[:30]
    trigger = Words((1_480,))
    assert torch.equal(trigger(x.flip(0)).flip(0), trigger(x))
    assert torch.equal(stamp(trigger, x), trigger(x))
    assert not torch.equal(Words((1_480,), seed=1)(x), trigger(x))


@pytest.mark.parametrize(("ids", "at"), [((), None), ((0,), None), ((3, -1), None), ((3,), -2)])
def test_words_that_are_none_are_refused(ids, at) -> None:
    with pytest.raises(ArgumentError):
        Words(ids, at)


def test_words_refuse_images_and_texts_that_are_too_short() -> None:
    with pytest.raises(ArgumentError, match="takes texts"):
        Words((3,))(torch.rand(2, 1, 8, 8))
    with pytest.raises(ArgumentError, match="must fit"):
        Words((3, 4, 5))(torch.tensor([[1, 2]]))


def test_a_pixel_refuses_texts() -> None:
    with pytest.raises(ArgumentError):
        stamp(Pixel(), TEXTS)
