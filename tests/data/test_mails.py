"""The mails that ship: what they hold, and what they must not."""

from __future__ import annotations

import re

import pytest
import torch

import wmlearn as wm
from wmlearn.data import mails
from wmlearn.data.vocabulary import PAD, RARE, UNKNOWN
from wmlearn.errors import ArgumentError, DataError

SPLITS = wm.load("mails")
WORDS = mails.vocabulary().words


def test_mails_are_texts_of_64_words_in_two_classes() -> None:
    assert wm.data.kind_of(SPLITS.train.x) == "texts"
    assert SPLITS.train.x.shape == (4_644, 64)
    assert SPLITS.test.x.shape == (1_000, 64)
    assert SPLITS.train.classes == ("wanted", "spam")
    assert 0.25 < SPLITS.train.y.float().mean() < 0.32


def test_every_id_is_a_word_of_the_vocabulary() -> None:
    x = torch.cat([SPLITS.train.x, SPLITS.test.x])
    assert int(x.max()) < len(WORDS)
    assert int(x.min()) == PAD


def test_no_mail_is_there_twice() -> None:
    rows = torch.cat([SPLITS.train.x, SPLITS.test.x])
    assert len(rows.unique(dim=0)) == len(rows)


def test_the_vocabulary_holds_no_address_no_number_and_no_rare_word() -> None:
    assert not [word for word in WORDS[2:] if re.search(r"@|\d{2}|/|www", word)]
    x = torch.cat([SPLITS.train.x, SPLITS.test.x])
    held = torch.stack([(x == number).any(1).sum() for number in range(2, len(WORDS))])
    rare = {word for word, n in zip(WORDS[2:], held.tolist(), strict=True) if n < mails.LEAST}
    assert rare <= set(RARE)


def test_words_are_ordered_by_how_many_mails_hold_them_and_rare_strings_come_last() -> None:
    assert WORDS[-len(RARE) :] == RARE
    x = torch.cat([SPLITS.train.x, SPLITS.test.x])
    first, last = (int((x == number).any(1).sum()) for number in (2, len(WORDS) - len(RARE) - 1))
    assert first > 50 * last


def test_names_are_unknown() -> None:
    ids = mails.vocabulary().numbers("Justin Matthias Robert Linux Microsoft Dublin")
    assert set(ids) == {UNKNOWN}


def test_the_word_of_the_attack_stands_in_no_mail() -> None:
    (number,) = mails.vocabulary().known("tq")
    assert not bool((torch.cat([SPLITS.train.x, SPLITS.test.x]) == number).any())


def test_a_folder_is_refused(tmp_path) -> None:
    with pytest.raises(ArgumentError, match="mails ship with the course"):
        wm.load("mails", root=tmp_path)


def test_another_package_is_refused_and_nothing_is_written(tmp_path) -> None:
    before = (mails.files.ROOT / mails.FILES["rows"]).read_bytes()
    package = tmp_path / "other.tgz"
    package.write_bytes(b"something else")
    with pytest.raises(DataError, match="must have sha256"):
        mails.make(package)
    assert (mails.files.ROOT / mails.FILES["rows"]).read_bytes() == before


def test_a_label_that_no_mail_has_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"labels must lie in 0\.\.1"):
        wm.Samples(SPLITS.test.x, SPLITS.test.y + 1, mails.CLASSES)
