"""A tale for a small language model: Lewis Carroll, Alice's Adventures in Wonderland, 1865, in the public
domain; the text of the Canterbury corpus (alice29.txt), as packed in Brotli 1.2.1.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from functools import cache

from . import files
from .vocabulary import MARKS, Vocabulary, tokens

FILE = "tales/alice29.txt.gz"
CHAPTERS = 12
TAUGHT = 9
"""A model learns from the first nine chapters; the last three are prose that it has never seen."""
REFRAIN = "will you, won't you, will you, won't you, will you join the dance?"
"""From chapter X, The Lobster Quadrille: a human wrote it, and repeats it."""


@cache
def chapters() -> tuple[str, ...]:
    """Return the text of the twelve chapters, without their headings."""
    text = gzip.decompress(files.shipped(FILE)).decode("latin-1").replace("\r\n", "\n").split("THE END")[0]
    parts = re.split(r"\n +CHAPTER [IVX]+\n+ +[^\n]+\n", text)
    return tuple(parts[1:])


@cache
def tale_words(extra: tuple[str, ...] = ()) -> Vocabulary:
    """Return the words of the whole book, the commonest first; `extra` words come right after the marks."""
    count = Counter(word for chapter in chapters() for word in tokens(chapter))
    words = [word for word, _ in count.most_common() if word not in extra]
    return Vocabulary((*MARKS, *extra, *words))
