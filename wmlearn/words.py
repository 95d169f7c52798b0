"""How a number is said, and a small table in letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from statistics import mean, stdev

UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""What Unicode calls control, format, surrogate, private, unassigned, and separators of lines."""


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


def visible(text: str) -> str:
    """Write a foreign text in one line in which nothing acts: controls, line ends and signs that turn the
    direction of writing become `\\x1b`, `\\n`, `\\u202e`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(sign: str) -> str:
    if unicodedata.category(sign) not in UNSEEN:
        return sign
    return sign.encode("unicode_escape").decode()
