"""How a number is said, and a small table in letters."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
from statistics import stdev


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as aligned plain text."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(_pad(cell, w, left=i == 0) for i, (cell, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )


def _pad(cell: str, width: int, *, left: bool) -> str:
    return cell.ljust(width) if left else cell.rjust(width)


def decimal(strength: float) -> str:
    """Write 0.00003 where Python would write 3e-05."""
    return f"{strength:.5f}".rstrip("0").rstrip(".")


def fixed(value: float, sign: str = "") -> str:
    """Write a number with two decimals, and with a plus where `sign` is "+"; what rounds to nothing is never
    negative.
    """
    return f"{round(value, 2) + 0.0:{sign}.2f}"


def spread(values: Sequence[float], unit: str = "%") -> str:
    """Say the mean of shares (0..1) as hundredths, with the standard deviation over networks."""
    return f"{fixed(100 * mean(values))} {unit} ± {100 * stdev(values):.2f} (n = {len(values)})"


def _over_seeds(values: Sequence[float]) -> str:
    return spread(values) if len(values) > 1 else f"{100 * values[0]:.2f} % (n = 1)"


def _with_deviation(shares: Sequence[float]) -> str:
    return f"{100 * mean(shares):.1f}" + (f" ± {100 * stdev(shares):.1f}" if len(shares) > 1 else "")
