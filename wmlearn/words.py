"""How a number is said, and a small table in letters."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as aligned plain text: the first column to the left, all others to the right."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first = line[0].ljust(widths[0])
    others = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
    return "  ".join([first, *others])


def decimal(strength: float) -> str:
    """Write 0.00003 where Python would write 3e-05."""
    return f"{strength:.5f}".rstrip("0").rstrip(".")


def fixed(value: float, sign: str = "") -> str:
    """Write a number with two decimals, and with a plus where `sign` is "+"; nothing is never negative."""
    rounded = round(value, 2) + 0.0  # which makes 0.0 of -0.0
    return f"{rounded:{sign}.2f}"


def spread(values: Sequence[float], unit: str = "%") -> str:
    """Say the mean of shares (0..1) as hundredths, with the standard deviation over networks."""
    return f"{fixed(100 * mean(values))} {unit} ± {100 * stdev(values):.2f} (n = {len(values)})"


def over_seeds(values: Sequence[float]) -> str:
    """Say shares (0..1) as `spread` does, or the only one."""
    return spread(values) if len(values) > 1 else f"{100 * values[0]:.2f} % (n = 1)"


def with_deviation(shares: Sequence[float]) -> str:
    """Say shares (0..1) as hundredths with one decimal: the mean, and the deviation if there is any."""
    average = f"{100 * mean(shares):.1f}"
    return f"{average} ± {100 * stdev(shares):.1f}" if len(shares) > 1 else average
