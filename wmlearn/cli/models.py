"""Your own model: is there a backdoor, mark it, and would the mark survive."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import typer
from tqdm.auto import tqdm

from .. import progress
from ..data import files
from ..errors import require
from ..words import visible
from . import marks
from .sources import Reading, found_device, open_model, strangers

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="The network: my.py:build or package.module:build, a function without arguments that returns it;"
        " or FILE.safetensors with --factory; FILE.onnx for a scan. It reads images in [0, 1], and normalises"
        " them by itself.",
    ),
]
Data = Annotated[
    str,
    typer.Option(
        help="A folder that holds a folder of pictures for each class, in the order of the network's classes;"
        " FILE.npz with arrays x and y, or x_train, y_train, x_test and y_test; or mnist, fashion-mnist,"
        " cifar10, gtsrb, signs-us."
    ),
]
Factory = Annotated[
    str | None,
    typer.Option(help="What builds the network of a safetensors file: my.py:build."),
]
Training = Annotated[
    str | None,
    typer.Option(help="The images that the network learnt from, as for --data: two detectors need them."),
]
Queries = Annotated[
    str | None,
    typer.Option(
        help="A folder of pictures that look suspicious, or FILE.npz with an array x: two detectors judge"
        " them one by one."
    ),
]
Size = Annotated[
    int | None, typer.Option(min=1, help="Scale the centre square of each picture to SIZE by SIZE pixels.")
]
Channels = Annotated[
    int | None, typer.Option(min=1, max=3, help="1 for grey, 3 for colour; else as the first picture is.")
]
Limit = Annotated[int, typer.Option(min=1, help="Read so many images at most, drawn at random.")]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Epochs of a training; by default at least 300 steps.")
]
Rate = Annotated[float | None, typer.Option(help="The peak of the learning rate; by default the scheme's.")]
Jobs = Annotated[int, typer.Option(min=0, help="Processes, of one thread each; 0 means one for each core.")]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Measure on a Dask cluster: its address, tcp://…, or local for one of JOBS processes here. Its"
        " machines must have the factory's module, and see the folder OUT of a scorecard. Name your own only:"
        " a scheduler sends pickles, and opening one can run any code."
    ),
]
Device = Annotated[
    str, typer.Option(help="cpu, cuda, or auto: a graphics card where PyTorch finds one.", metavar="DEVICE")
]
Schemes = Annotated[
    list[str], typer.Option("--scheme", help="A way to mark; one or more. A wrong name lists all.")
]
Removals = Annotated[
    list[str],
    typer.Option("--removal", help="An attack; one or more, or all. A wrong name lists them."),
]
SCHEMES = ["adi2018", "uchida2017"]
REMOVALS = ["adi2018-ftal", "liu2018-fine-pruning", "quantize-4-bits"]


@contextmanager
def _bars() -> Iterator[None]:
    """Draw a bar beside all that takes over two seconds; where nobody watches, a line now and then."""
    # bars below each other move the cursor, which a file would keep
    place = {"mininterval": 0.1} if sys.stderr.isatty() else {"mininterval": 10, "position": 0}
    progress.watch(partial(tqdm, **place))
    try:
        yield
    finally:
        progress.watch(None)


def scan(
    model: Model,
    data: Data,
    factory: Factory = None,
    training: Training = None,
    queries: Queries = None,
    size: Size = None,
    channels: Channels = None,
    limit: Limit = 2_000,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    device: Device = "auto",
    out: Annotated[
        Path, typer.Option(help="Where to write the report, FILE.html; FILE.json is written beside it.")
    ] = Path("scan.html"),
) -> None:
    """Look for a backdoor in your own model, with all detectors that have what they need; write one page.

    An ONNX file only answers: a detector that needs its weights says so. Stop it whenever you like, it
    resumes: what was found lies in FILE.parts until the page is written.
    """
    from .. import detection
    from ..detection import findings
    from . import scans

    require(out.suffix == ".html", "the report must be a .html file", str(out))
    place = found_device(device)
    files.check_writable(out)
    suspect = open_model(model, factory)
    parts = out.with_suffix(".parts")
    with _bars(), strangers("scanning"):
        brought = scans.read(data, training, queries, Reading(size, channels, limit))
        material = brought.material(suspect, place)
        detectors = scans.fitting(detection.ALL, len(material.clean))
        n_jobs = jobs or _cores(place)
        result = scans.scanned(material, detectors, parts, jobs=n_jobs, scheduler=scheduler)
    about = [f"Model: {model}", *brought.about()]
    changed = [name for name, detector in detectors.items() if detector != detection.ALL[name]]
    about += [f"{name} is fitted to so few images: {detectors[name]}" for name in changed]
    files.write(out.with_suffix(".json"), findings.to_json(result, about).encode() + b"\n")
    files.write(out, findings.to_html(result, about).encode())
    for line in about:
        typer.echo(visible(line))
    scans.forget(parts)
    typer.echo(f"{findings.to_text(result)}\n\nSee {out}.")


def mark(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="A new folder: the marked model, its key, what was measured.")],
    scheme: Annotated[
        str, typer.Option(help="How to mark: adi2018, uchida2017, … A wrong name lists all.")
    ] = "adi2018",
    factory: Factory = None,
    epochs: Epochs = None,
    lr: Rate = None,
    size: Size = None,
    channels: Channels = None,
    limit: Limit = 20_000,
    device: Device = "auto",
) -> None:
    """Mark a copy of your own model: draw a secret key, teach it, and look for it beside an unmarked network.

    A network that is untrained learns the task with the mark. A quarter of the images only measures. All is
    written, or nothing. Stop it whenever you like, it resumes: key and networks lie in OUT.parts until then.
    """
    ways = marks.chosen([scheme])
    place = found_device(device)
    files.check_new_folder(out)
    parts = out.with_name(f"{out.name}.parts")
    with marks.resuming(parts):
        with _bars(), strangers("marking"):
            task = marks.task(model, factory, data, Reading(size, channels, limit), place)
            marking = marks.marking(marks.fitted(ways, task, epochs, lr), task, parts)
        files.new_folder(out, lambda folder: marks.write(folder, marking))
    for line in (*task.about, *marking.lines()):
        typer.echo(visible(line))
    typer.echo(
        f"{out / marks.WEIGHTS} is the marked model, {out / marks.KEY} its key: keep that secret, and a copy"
        " of it."
    )


def scorecard(
    model: Model,
    data: Data,
    out: Annotated[
        Path, typer.Option(help="Folder for keys, networks and cells; what is there is not measured again.")
    ],
    schemes: Schemes = SCHEMES,
    removals: Removals = REMOVALS,
    factory: Factory = None,
    epochs: Epochs = None,
    lr: Rate = None,
    size: Size = None,
    channels: Channels = None,
    limit: Limit = 20_000,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    device: Device = "auto",
) -> None:
    """Mark copies of your own model, attack them, and say whether the owner is still believed, beside an
    unmarked network under the same attacks.

    Keys are drawn before anything is trained; marks and attacks are a job each. Stopped, it resumes.
    """
    from .. import scorecard as cards

    ways = marks.chosen(schemes)
    attacks = marks.attacks(removals)
    place = found_device(device)
    path = out / "scorecard.json"
    files.check_writable(path)
    with _bars(), strangers("marking and attacking"):
        task = marks.task(model, factory, data, Reading(size, channels, limit), place, attacked=True)
        n_jobs = jobs or _cores(place)
        fitted = marks.fitted(ways, task, epochs, lr)
        copies = marks.marks(fitted, task, out, jobs=n_jobs, scheduler=scheduler)
        card = cards.run(
            copies.marked,
            attacks,
            attacker=task.attacker,
            test=task.test,
            alpha=marks.LEVEL,
            unmarked=copies.unmarked.model,
            decoys=copies.decoys,
            folder=out / "cells",
            jobs=n_jobs,
            scheduler=scheduler,
        )
    files.write(path, (json.dumps(card.dicts(), indent=1) + "\n").encode())
    about = (*task.about, f"unmarked: {copies.unmarked.origin}")
    typer.echo("\n".join([*map(visible, about), f"\n{card}\n\nSee {path}."]))


def _cores(device: torch.device) -> int:
    """Count the processes that may run: those of a graphics card would fight over it."""
    return os.cpu_count() or 1 if device.type == "cpu" else 1
