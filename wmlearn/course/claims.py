"""A claim is a measured number with the bound it must keep.

It prints a sentence that is the same on every machine (nbval compares it to the letter) and puts the raw
number into the metadata of that output (nbval skips it). So the executed notebook is the ledger: no side file
can go stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import require
from .boxes import show_box
from .figures import table

Unit = Literal["%", "points", "p"]
"""Shares and differences of shares are shown as hundredths; "p" is a p-value, shown as it is."""


@dataclass(frozen=True)
class Claim:
    """`value` must lie in [low, high]; `n` says how many trials it rests on, `paper` what was published."""

    id: str
    what: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: Unit = "%"
    paper: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value keeps its bound."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    @property
    def bound(self) -> str:
        """The stable wording: "at least 99 %". Prose quotes this, never the raw value."""
        low, high = ("" if bound is None else self._worded(bound) for bound in (self.low, self.high))
        words = (
            f"between {low} and {high}" if low and high else f"at least {low}" if low else f"at most {high}"
        )
        if self.unit == "p":
            return words
        return f"{words} point" if self.unit == "points" and (high or low) == "1" else f"{words} {self.unit}"

    def _worded(self, bound: float) -> str:
        return f"{bound:g}".replace("e-0", "e-") if self.unit == "p" else f"{100 * bound:g}"

    @property
    def shown(self) -> str:
        """The raw value, for the reader."""
        number = f"{self.value:.1e}" if self.unit == "p" else f"{100 * self.value:.2f} {self.unit}"
        return number + (f" (n = {self.n:,})" if self.n else "")


HERE: dict[str, Claim] = {}
"""The claims of the running notebook, for `paper_table`."""


def claim(
    id: str,
    value: float,
    *,
    what: str,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
    unit: Unit = "%",
    paper: str = "",
) -> None:
    """Print whether `what` keeps its bound, and record the raw number; `paper` is the published figure beside
    it.
    """
    require(low is not None or high is not None, "a claim needs a bound, low or high", id)
    made = HERE[id] = Claim(id, what, value, low, high, n, unit, paper)
    title = (
        f"✓ {what} is {made.bound}: holds"
        if made.holds
        else f"✗ {what} should be {made.bound}: it is {made.shown}"
    )
    show_box("good" if made.holds else "bad", title, metadata={"claim": asdict(made)})


def ledger(cells: Iterable[Any]) -> dict[str, Claim]:
    """Read every claim back from the outputs of executed notebook cells."""
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    records = (output["metadata"]["claim"] for output in outputs if "claim" in output.get("metadata", {}))
    return {record["id"]: Claim(**record) for record in records}


def paper_table() -> None:
    """Show every claim of this notebook that has a published figure: paper on the left, here on the right."""
    table(["", "paper", "here"], [[c.what, c.paper, c.shown] for c in HERE.values() if c.paper])


def shares(what: str, measured: Mapping[str, tuple[float, int]]) -> None:
    """Show shares (0..1) of `n` trials, each with its 95 % interval."""
    rows = [
        [name, f"{100 * share:.2f} %", interval(share, n), f"{n:,}"] for name, (share, n) in measured.items()
    ]
    table([what, "share", "95 % interval", "n"], rows)


def interval(share: float, n: int) -> str:
    """Return Wilson's 95 % interval for a share seen in `n` independent trials, as text."""
    from scipy.stats import binomtest

    found = binomtest(round(share * n), n).proportion_ci(method="wilson")
    return f"{100 * found.low:.2f} to {100 * found.high:.2f} %"
