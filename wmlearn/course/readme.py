"""The README's table "paper / here" is made from the shipped results, never typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..data import files
from ..errors import require
from ..experiments import shipped
from ..experiments.paper import compare

BEGIN, END = "<!-- paper-here:begin -->", "<!-- paper-here:end -->"
DIGITS = ("all-to-one", "single-target", "all-to-all")
SIGNS = ("stickers", "random-target", "street", "transfer", "photographs", "rendered-to-real")


def paper_rows(experiments: Sequence[str] = DIGITS) -> list[list[str]]:
    """Return what long experiments measured, beside the paper: a row is (what, paper, here)."""
    return [[line.what, line.paper or "–", line.here] for name in experiments for line in compare(shipped(name))]


def filled(readme: str, rows: Sequence[Sequence[str]]) -> str:
    """Return the README with the table between its markers."""
    require(BEGIN in readme and END in readme, "README.md must hold both paper-here markers", "a text without them")
    lines = ["| | paper | here |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    before, after = readme.split(BEGIN)[0], readme.split(END)[1]
    return f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}"


def write(root: Path) -> None:
    """Fill the table of `root`/README.md."""
    path = root / "README.md"
    files.write(path, filled(path.read_text(), paper_rows((*DIGITS, *SIGNS))).encode())
