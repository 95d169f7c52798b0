"""The owner's own list of what he has opened: what is public once can't be asked again, so it is not given
away unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data import files
from ..errors import DataError, require
from .documents import canonical

VERSION = 2
HEAD = {"kind": "opened", "version": VERSION}


@dataclass(frozen=True)
class Ledger:
    """A file that maps the digest of each commitment to the numbers of its opened triggers."""

    path: Path

    def opened(self, commitment: str) -> tuple[int, ...]:
        """Return the opened triggers of the commitment of this digest."""
        return tuple(self._read().get(commitment, ()))

    def add(self, commitment: str, indices: Sequence[int], n: int, allow: int | None = None) -> None:
        """Note, before they are shown, that `indices` of `n` triggers are open.

        Raises `ArgumentError`, and notes nothing, where more than `allow` would be open, by default half.
        """
        commitments = self._read()
        union = sorted({*commitments.get(commitment, ()), *indices})
        most = n // 2 if allow is None else allow
        fix = (
            f"What is open is spent: say allow={len(union)} (--yes) if you mean it, or promise a larger key."
        )
        require(len(union) <= most, f"at most {most} of {n} triggers may be opened", len(union), fix)
        content = {**HEAD, "commitments": {**commitments, commitment: union}}
        files.write(self.path, canonical(content) + b"\n")

    def _read(self) -> dict[str, list[int]]:
        if not self.path.exists():
            return {}
        try:
            content = json.loads(files.read(self.path))
            commitments = content.pop("commitments")
            right = content == HEAD and all(_is_list(part) for part in commitments.values())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            right = False
            commitments = {}
        if not right:
            fix = "Restore it: it says what is open."
            raise DataError(f"{self.path} must be the list of opened triggers, got something else. {fix}")
        return commitments


def _is_list(part: object) -> bool:
    return isinstance(part, list) and all(type(index) is int for index in part)
