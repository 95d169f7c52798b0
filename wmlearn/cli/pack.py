"""`wmlearn pack`: a kit for a room without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from tqdm.auto import tqdm


def pack(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the kit, which is made.")],
    wheels: Annotated[
        Path | None,
        typer.Option(help="A folder of wheels that go before any index, as of a PyTorch without CUDA."),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(help="One more index, such as PyTorch's of builds without CUDA.", metavar="URL"),
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Option(
            help="Pack an extra: signs (notebook 04), serve (11), tables (13), intake (15). May be repeated."
        ),
    ] = None,
) -> None:
    """Pack the course and all it needs for a room without a network; for machines and a Python like these.

    Wheels come from where pip takes them. On Linux its usual index has a PyTorch with CUDA, of several
    gigabytes; a kit for processors alone needs --index or --wheels.
    """
    from ..course.kit import packing

    source = packing.Source(wheels, index)
    with tqdm(bar_format="{elapsed} {desc}") as bar:
        kit = packing.pack(out, source, extra or (), bar.set_description_str)
        bar.set_description_str("done")
    for_gpu = f", {packing.said_size(kit.for_gpu)} of them for a GPU" if kit.for_gpu else ""
    typer.echo(f"{kit.folder} holds {kit.n_wheels} packages, {packing.said_size(kit.size)}{for_gpu}.")
    typer.echo("Copy the folder; its README.md says the three commands.")
