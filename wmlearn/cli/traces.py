"""The command line where nothing was planted: two files of weights, or a random lot and a suspect's
labels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from torch import nn

from ..data import files
from ..errors import DataError, require
from ..evidence import Suspect
from ..evidence.independence import Likeness, Matched
from ..evidence.splits import SplitEvidence
from ..page import bullets, document, escape
from ..words import text_table, visible

NETWORKS = "badnet_cnn, or sign_cnn:CLASSES."
Network = Annotated[str, typer.Option(help=f"The network of all safetensors files here: {NETWORKS}")]
Factory = Annotated[
    str | None,
    typer.Option(help="Another network: my.py:build or package.module:build, called without arguments."),
]
Level = Annotated[float, typer.Option(help="The largest p-value that counts.")]
Out = Annotated[
    Path | None, typer.Option(help="Where to write the report, FILE.html; FILE.json is written beside it.")
]
WEIGHTS_LIMITS = (
    "It says that both have an origin in common, not who was first: dates decide, of releases for instance.",
    "It holds where one of the two started from first weights of its own, drawn alike for each unit: no "
    "downloaded network, no default seed, no units put in order.",
    "A large p-value is no alibi: units in another order, or a network that was taught by answers, look like "
    "a stranger's.",
)
LOT_LIMITS = (
    "It holds where the lot was drawn at random, was kept secret, and was written down before the suspect "
    "appeared; where the suspect's own data was chosen without it.",
    "A public split, such as the training set of a benchmark, accuses everybody who used it.",
    "A large p-value is no alibi: what was trained on with a large rate, or taught by labels, has forgotten "
    "the lot.",
)


@dataclass(frozen=True)
class Page:
    """What a test found: a verdict, a table, notes, and what it does not prove."""

    title: str
    verdict: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    limits: Sequence[str]
    numbers: dict[str, Any]

    def text(self) -> str:
        """Return the page for the terminal."""
        table = text_table(list(self.head), [list(row) for row in self.rows])
        parts = [visible(self.verdict), table, *(visible(f"note: {note}") for note in self.notes)]
        return "\n".join(parts)

    def html(self) -> str:
        """Return the page for people."""
        heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.head)
        rows = "".join(map(_html_row, self.rows))
        parts = [
            f"<h1>{escape(self.title)}</h1>",
            f'<p class="verdict">{escape(self.verdict)}</p>',
            f"<table><tr>{heads}</tr>{rows}</table>",
            bullets(self.notes),
            "<h2>What this does not prove</h2>",
            bullets(self.limits),
        ]
        return document(self.title, parts)

    def write(self, out: Path) -> None:
        """Write the report as HTML, and its numbers as JSON."""
        content = {"kind": "traces", "version": 1, "verdict": self.verdict, **self.numbers}
        files.write(out, self.html().encode())
        files.write(out.with_suffix(".json"), json.dumps(content, indent=1).encode() + b"\n")


def _html_row(row: Sequence[str]) -> str:
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
    return f"<tr>{cells}</tr>"


def independence(
    a: Annotated[Path, typer.Argument(help="The owner's network, FILE.safetensors.")],
    b: Annotated[Path, typer.Argument(help="The suspect, FILE.safetensors, of the same architecture.")],
    network: Network = "badnet_cnn",
    factory: Factory = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(help="A layer to compare; by default all whose units could stand in any order."),
    ] = None,
    stranger: Annotated[
        list[Path] | None,
        typer.Option(
            help="A network that has nothing to do with A, FILE.safetensors: the suspect's units are matched "
            "to A's, which undoes a shuffle, and ranked among such networks. As many as you have."
        ),
    ] = None,
    shuffles: Annotated[int, typer.Option(min=2, max=1_000_000, help="How many shuffles.")] = 9999,
    level: Level = 1e-3,
    out: Out = None,
) -> None:
    """Ask two files of weights whether they share an origin: no mark, no key. Ends with 1 unless they do."""
    check(level, out)
    ours = open_weights(a, network, factory)
    try:
        theirs = open_weights(b, network, factory)
    except DataError as error:
        if "must hold the weights of this network" not in str(error):
            raise
        raise DataError(f"A and B must be networks of the same architecture: {error}") from error
    others = [open_weights(path, network, factory) for path in stranger or []]
    compared = _compared(ours, theirs, others, layer or None, shuffles)
    names = {"A": str(a), "B": str(b)}
    shown = compared.p_value <= level and not compared.start
    end(compared.page(names, level), out, shown)


@dataclass(frozen=True)
class Compared:
    """Two networks, compared by their weights."""

    fingerprints: dict[str, str]
    layers: Sequence[Likeness]
    p_value: float
    start: str  # the public start of the owner's network, or ""
    matched: Matched | None

    def page(self, names: dict[str, str], level: float) -> Page:
        """Say what was found of the files `names`, A and B."""
        notes = [f"{side} is {name}, sha256 {self.fingerprints[side]}" for side, name in names.items()]
        rows = [
            [one.layer, f"{one.units:,}", f"{one.cosine:.3f}", f"{one.shuffled:.3f}", f"{one.p_value:.4g}"]
            for one in self.layers
        ]
        outcome = _outcome(self.p_value <= level, self.start)
        numbers: dict[str, Any] = {"p_value": self.p_value, "level": level, "public_start": self.start}
        numbers["layers"] = [asdict(one) for one in self.layers]
        if self.matched:
            numbers["matched"] = {**asdict(self.matched), "p_value": self.matched.p_value}
        return Page(
            "Do two networks share an origin?",
            f"p = {self.p_value:.1e} against {level:g}: {outcome}",
            ["layer", "units", "cosine", "in shuffles", "p-value"],
            rows,
            [*notes, *self.notes()],
            WEIGHTS_LIMITS,
            numbers,
        )

    def notes(self) -> Iterator[str]:
        """Say what was compared, what makes it void, and what matching found."""
        names = ", ".join(one.layer for one in self.layers)
        n = self.layers[0].n
        yield f"layers compared: {names}; each with {n:,} shuffles, together by Fisher's sum"
        if self.start:
            yield (
                f"A started from {self.start}, which anybody can draw: who started there, too, is accused."
                " Train from a seed of your own, such as wm.models.seed_of('Ana')."
            )
        if self.matched:
            strangers = self.matched.strangers
            yield (
                f"after matching: mean cosine {self.matched.cosine:.2f}, of {len(strangers)} strangers"
                f" at most {max(strangers):.2f}; p = {self.matched.p_value:.2g} by rank,"
                f" {1 / (len(strangers) + 1):.2g} at best"
            )


def _compared(
    ours: nn.Module, theirs: nn.Module, others: Sequence[nn.Module], layers: Sequence[str] | None, n: int
) -> Compared:
    from ..evidence.independence import against_strangers, fisher, likenesses, public_start
    from ..ownership import fingerprint

    found = likenesses(ours, theirs, layers=layers, n=n)
    return Compared(
        {"A": fingerprint(ours), "B": fingerprint(theirs)},
        found,
        fisher([one.p_value for one in found]),
        public_start(ours),
        against_strangers(ours, theirs, others) if others else None,
    )


def _outcome(shown: bool, start: str) -> str:
    if start:
        return "void, as A did not start from weights of its own."
    return "they share an origin." if shown else "no common origin is shown."


def lot(
    path: Annotated[Path, typer.Argument(help="The new file, LOT.json: keep it secret.")],
    data: Annotated[
        str, typer.Option(help="A data set by its name (its training images), a folder, or an .npz file.")
    ] = "mnist",
    share: Annotated[float, typer.Option(help="How much of each class you train on.")] = 0.75,
) -> None:
    """As the owner, before training: draw which images to train on. Their choice is a mark that costs what is
    left out.
    """
    from ..evidence.lots import draw_lot, save_lot

    files.check_writable(path)
    samples = images_of(data)
    drawn = draw_lot(samples, share)
    promise = save_lot(drawn, samples, path)
    typer.echo(
        f"{path} takes {int(drawn.sum()):,} of {len(samples):,} images. Train on those alone: "
        f"samples[wm.evidence.lots.load_lot(path, samples)].\n"
        f"Publish its hash before the model, and never the file: {promise}"
    )


def split(
    suspect: Annotated[str, typer.Argument(help="The suspect: FILE.safetensors, FILE.onnx, or http://….")],
    path: Annotated[Path, typer.Argument(help="The owner's lot, as `lot` wrote it.", metavar="LOT.json")],
    data: Annotated[
        str, typer.Option(help="What the lot was drawn from: a data set by its name, a folder, an .npz file.")
    ] = "mnist",
    network: Network = "badnet_cnn",
    factory: Factory = None,
    stranger: Annotated[
        list[str] | None,
        typer.Option(
            help="A network that knows nothing of the lot: it says how hard each image is, which makes the "
            "test fairer and stronger. For mnist and signs-us such networks ship, and serve by default."
        ),
    ] = None,
    level: Level = 1e-3,
    out: Out = None,
) -> None:
    """Ask a suspect about all images that a lot was drawn from: whoever learnt from it errs less inside.

    Ends with 1 unless the lot shows. A service is asked for the label of every image.
    """
    from ..evidence.lots import load_lot
    from ..evidence.splits import errors_of_strangers, split_evidence

    check(level, out)
    samples = images_of(data)
    inside = load_lot(path, samples)
    asked = suspect_of(suspect, network, factory)
    others = [suspect_of(source, network, factory) for source in stranger or []] or _shipped(data)
    hardness = errors_of_strangers(others, samples) if others else None
    found = split_evidence(asked, samples, inside, hardness=hardness)
    whose = "brought" if stranger else "of the course"
    how = f"images as hard to {len(others)} strangers, {whose}" if others else "their class only"
    notes = [
        f"{len(samples):,} images of {data}; compared among {how}",
        f"the lot is {path}, sha256 {_hash(path)}: was it published before the suspect appeared?",
    ]
    end(_page_of_lot(found, level, notes), out, found.p_value <= level)


def _page_of_lot(found: SplitEvidence, level: float, notes: Sequence[str]) -> Page:
    outcome = "the suspect learnt from this lot." if found.p_value <= level else "the lot is not shown."
    outside = sum(found.images_outside)
    errors_outside = sum(found.errors_outside)
    rows = [
        ["inside", f"{sum(found.images) - outside:,}", f"{sum(found.errors) - errors_outside:,}"],
        ["outside", f"{outside:,}", f"{errors_outside:,}"],
    ]
    return Page(
        "Did the suspect learn from this lot?",
        f"p = {found.p_value:.1e} against {level:g}: {outcome}",
        ["images", "asked", "errors"],
        rows,
        notes,
        LOT_LIMITS,
        {"p_value": found.p_value, "level": level, **asdict(found)},
    )


def _shipped(data: str) -> list[Suspect]:
    """Return the networks of strangers that ship for a data set."""
    from ..evidence import bystanders

    return list(bystanders.shipped(data)) if data in bystanders.NETWORKS else []


def check(level: float, out: Path | None) -> None:
    """Refuse what would fail after the work."""
    require(0 < level < 1, "level must lie in (0, 1)", level)
    if out:
        rule = "the report must end in .html, as .json is written beside it"
        require(out.suffix.lower() == ".html", rule, str(out))
        files.check_writable(out)


def end(page: Page, out: Path | None, shown: bool) -> None:
    """Write and say what was found, and end with 1 unless it is shown."""
    if out:
        page.write(out)
    typer.echo(page.text())
    raise typer.Exit(0 if shown else 1)


def open_weights(path: Path, network: str, factory: str | None) -> nn.Module:
    """Open a file of weights."""
    model = suspect_of(str(path), network, factory)
    rule = "a network whose weights are compared must be a safetensors file"
    require(isinstance(model, nn.Module), rule, str(path))
    assert isinstance(model, nn.Module)
    return model


def suspect_of(source: str, network: str, factory: str | None) -> Suspect:
    """Open a suspect: weights, an ONNX file, or the URL of a service."""
    from ..suspects import load_suspect
    from .sources import build

    if source.lower().endswith(".safetensors"):
        return load_suspect(source, build(factory) if factory else network)
    return load_suspect(source)


def images_of(source: str) -> Any:
    """Read the training images of a data set, or those of a folder or an .npz file."""
    from .sources import Reading, read_images

    return read_images(source, Reading(), training=True).samples


def _hash(path: Path) -> str:
    import hashlib

    return hashlib.sha256(files.read(path)).hexdigest()
