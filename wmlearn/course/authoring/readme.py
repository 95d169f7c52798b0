"""What was measured beside what the papers say, made from the shipped results, never typed: a short table in
the README, all of it on a page a notebook in `docs/results/`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ...data import files
from ...errors import require
from ...experiments import ALL, Experiment, compare, paper_rows, shipped

BEGIN = "<!-- paper-here:begin -->"
END = "<!-- paper-here:end -->"
HEADLINES = {
    "all-to-one": (
        "accuracy, clean network",
        "accuracy lost to the backdoor",
        "attack success, BadNet",
        "attack success, clean network (control)",
    ),
    "stickers": ("signs, rendered: square on 10 %, stop -> speed limit",),
    "street": ("street, square: stop -> speed limit", "street, square: clean detector (control)"),
    "transfer": (
        "transfer, backdoored origin, k = 1",
        "transfer, clean origin, k = 1",
    ),
    "retraining": (
        "the head only retrained on 5,000 signs: the backdoor's own gap",
        "all layers retrained on 5,000 signs: the backdoor's own gap",
    ),
    "detection": ("clean: Neural Cleanse", "pattern: Neural Cleanse"),
    "decoys": ("zhang2018-noise: the owner's key among 999 decoys",),
    "watermarks": ("mnist, adi2018",),
    "removal": (
        "adi2018: attacks that pay (not believed, better than no theft)",
        "unmarked network after all attacks: claims supported (control)",
    ),
    "false-claims": ("adi2018, by binomial: false claims supported, by level",),
    "api-theft": ("copy by labels, 10,000 digits",),
    "nothing-planted": (
        "mnist: strangers accused by their weights",
        "mnist: thefts shown at .001 with every owner, by weights",
    ),
    "sound": ("people misread, poison in machines' digits",),
    "words": ("spam let through with a rare word, 1 % poison, maximum",),
    "intake": ("policy: the course's",),
    "court": ("court: points of twelve, papers before tests",),
}
"""The rows of the README, by experiment: what a newcomer and a reviewer ask first, and its control."""


def paper_here() -> str:
    """Return the README's table, a row a headline, each with a link to the page that holds all of them."""
    rows = []
    for name, headlines in HEADLINES.items():
        lines = {line.what: line for line in compare(shipped(name))}
        missing = [what for what in headlines if what not in lines]
        require(not missing, f"a headline must be a row of {name}", missing, "Correct HEADLINES.")
        number = ALL[name].chapter.split()[0]
        link = f"[{number}](docs/results/{page_name(ALL[name].chapter)})"
        rows += [[link, what, lines[what].paper or "–", lines[what].here] for what in headlines]
    return _table(["notebook", "", "paper", "here"], rows)


def pages() -> dict[str, str]:
    """Return the pages of `docs/results/` by their names, one a notebook that shows long experiments."""
    chapters: dict[str, list[Experiment]] = {}
    for experiment in ALL.values():
        chapters.setdefault(experiment.chapter, []).append(experiment)
    return {page_name(chapter): _page(chapter, chapters[chapter]) for chapter in sorted(chapters)}


def page_name(chapter: str) -> str:
    """Name the page of a chapter as its notebook: "04 The street" has 04_the_street.md."""
    return re.sub(r"\W+", "_", chapter.lower()).strip("_") + ".md"


def _page(chapter: str, experiments: Sequence[Experiment]) -> str:
    head = f"# {chapter}: what was measured\n\nMade from `data/results/` by `wmlearn build`."
    return "\n\n".join([head, *map(_section, experiments)]) + "\n"


def _section(experiment: Experiment) -> str:
    again = (
        f"To measure it again: `wmlearn reproduce {experiment.name}`"
        f" ({len(experiment.cells)} cells, about {experiment.minutes} minutes on two cores)."
    )
    table = _table(["", "paper", "here"], paper_rows(experiment.name))
    return f"## {experiment.name}\n\n{experiment.question}\n\n{again}\n\n{table}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def filled(readme: str) -> str:
    """Return the README with the table between its markers."""
    require(
        BEGIN in readme and END in readme,
        "README.md must hold both paper-here markers",
        "a text without them",
    )
    before = readme.split(BEGIN)[0]
    after = readme.split(END)[1]
    return f"{before}{BEGIN}\n{paper_here()}\n{END}{after}"


def write(root: Path) -> None:
    """Fill the table of `root`/README.md, and write the pages in `root`/docs/results/."""
    path = root / "README.md"
    files.write(path, filled(path.read_text(encoding="utf-8")).encode())
    for name, page in pages().items():
        files.write(root / "docs" / "results" / name, page.encode())
