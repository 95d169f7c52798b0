"""The README's tables "paper / here" are made from the shipped results, never typed."""

from __future__ import annotations

from pathlib import Path

from ...data import files
from ...errors import require
from ...experiments.paper import paper_rows

BEGIN, END = "<!-- paper-here:begin -->", "<!-- paper-here:end -->"
PARTS = {
    "Notebook 02, digits": ("all-to-one", "single-target", "all-to-all"),
    "Notebook 03, the stop sign": (
        *(
            f"{name}{place}"
            for name in ("stickers", "sticker-size", "random-target")
            for place in ("", "-photographs")
        ),
        "photographs",
        "rendered-to-real",
    ),
    "Notebook 04, the street": ("street",),
    "Notebook 05, backdoors that travel": ("transfer",),
    "Notebook 06, finding and cleaning": ("detection",),
    "Notebook 07, from backdoor to watermark": ("key-size",),
    "Notebook 08, marks in the weights": ("watermarks", "uchida-strength"),
    "Notebook 09, removal": ("removal",),
    "Whose model is it: claims on innocent models": ("false-claims",),
}
"""What is folded away under which heading."""


def paper_here() -> str:
    """Return what long experiments measured, beside the paper, as Markdown: a folded table for each notebook,
    the first one open.
    """
    return "\n\n".join(_folded(title, names, i == 0) for i, (title, names) in enumerate(PARTS.items()))


def _folded(title: str, experiments: tuple[str, ...], unfolded: bool) -> str:
    lines = [f"| {' | '.join(row)} |" for row in paper_rows(*experiments)]
    table = "\n".join(["| | paper | here |", "|---|---|---|", *lines])
    return f"<details{' open' * unfolded}><summary>{title}</summary>\n\n{table}\n\n</details>"


def filled(readme: str) -> str:
    """Return the README with the tables between its markers."""
    require(
        BEGIN in readme and END in readme,
        "README.md must hold both paper-here markers",
        "a text without them",
    )
    before, after = readme.split(BEGIN)[0], readme.split(END)[1]
    return f"{before}{BEGIN}\n{paper_here()}\n{END}{after}"


def write(root: Path) -> None:
    """Fill the tables of `root`/README.md."""
    path = root / "README.md"
    files.write(path, filled(path.read_text()).encode())
