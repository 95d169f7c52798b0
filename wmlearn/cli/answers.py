"""A mark in the answers of a service: who serves a model lies to one query in two hundred, and a thief who
learns from the answers learns the lies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from torch import nn

from ..errors import require
from .traces import Factory, Level, Network, Out, Page, check, end, images_of, open_weights, suspect_of

Mark = Literal["dawn"]
RATE = 0.005
Secret = Annotated[Path, typer.Option(help="The owner's secret, as `wmlearn ownership keygen` wrote it.")]
Rate = Annotated[float, typer.Option(help="The share of queries that get a wrong label.")]
LIMITS = (
    "It holds where the secret was promised before the suspect appeared: whoever draws it afterwards can look"
    " for one that fits.",
    "The suspect may have learnt from the service itself, or from somebody who did.",
    "A large p-value is no alibi: who asked about other images, trained for a short time, or asked twice in"
    " slightly different ways, has learnt few of the lies.",
)


def marked_service(model: nn.Module, secret: Path, rate: float) -> nn.Module:
    """Return the model behind answers that are marked under the owner's secret (DAWN, 2021)."""
    from ..watermarks.dawn import Service

    require(0 < rate < 1, "rate must lie in (0, 1)", rate, "DAWN's authors: at most 0.005.")
    return Service(model, _drawn(secret), rate).eval()


def answers(
    model: Annotated[Path, typer.Argument(help="The model that was served, FILE.safetensors.")],
    suspect: Annotated[str, typer.Argument(help="The suspect: FILE.safetensors, FILE.onnx, or http://….")],
    secret: Secret,
    data: Annotated[
        str,
        typer.Option(help="What the service was asked: a data set by its name, a folder, an .npz file."),
    ] = "mnist",
    network: Network = "badnet_cnn",
    factory: Factory = None,
    rate: Rate = RATE,
    level: Level = 1e-3,
    out: Out = None,
) -> None:
    """Ask a suspect about the queries that a marked service answered wrongly (`wmlearn serve --mark dawn`).

    Ends with 1 unless the suspect repeats the lies.
    """
    from ..watermarks import Dawn2021

    check(level, out)
    served = open_weights(model, network, factory)
    queries = images_of(data)
    asked = suspect_of(suspect, network, factory)
    key = Dawn2021(rate).keygen(served, queries, secret=_drawn(secret))
    found = Dawn2021(rate).verify(asked, key)
    shown = found.p_value <= level
    outcome = "the suspect learnt from the marked service." if shown else "the mark is not shown."
    page = Page(
        "Did the suspect learn from a marked service?",
        f"p = {found.p_value:.1e} against {level:g}: {outcome}",
        ["queries", "answered wrongly", "repeated by the suspect", "expected of a stranger, at most"],
        [[f"{len(queries):,}", f"{len(key):,}", f"{found.hits:,}", f"{len(key) / (key.classes - 1):.1f}"]],
        [f"the queries are {data}; of each {1 / rate:,.0f}, one was answered wrongly"],
        LIMITS,
        {"p_value": found.p_value, "level": level, "hits": found.hits, "trials": found.trials},
    )
    end(page, out, shown)


def _drawn(secret: Path) -> bytes:
    """Derive the secret of the mark from the owner's, which signs other things."""
    from ..ownership import load_identity
    from ..ownership.accounts import dawn_secret

    return dawn_secret(load_identity(secret))
