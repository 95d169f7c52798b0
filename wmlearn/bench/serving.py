"""How long does a verification take, on the model itself and over HTTP on this machine?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from torch import nn

from ..data import load
from ..evidence import Suspect, bystanders
from ..suspects.remote import Remote
from ..suspects.serving import Limits, running, service
from ..watermarks import Adi2018, TriggerKey
from .timing import Timing, installed, measure, missing, one_thread

RUNS = 10
LIMITS = Limits(per_minute=10_000)  # none that a benchmark could reach


def timings() -> Iterator[Timing]:
    """Yield the median of a verification, on a shipped network and on the same behind a service."""
    with one_thread():
        model = bystanders.shipped("mnist", 0, 1)[0]
        scheme = Adi2018()
        key = scheme.keygen(model, load("mnist").train[:2000])
        what = f"verify {len(key)} triggers"
        note = f"median of {RUNS}, one thread"
        yield Timing(f"{what}, on the model", median_seconds(scheme, model, key), "s", note)
        if not installed("fastapi", "uvicorn", "httpx"):
            yield missing(f"{what}, over HTTP", "serve")
            return
        with served(model) as url:
            yield Timing(f"{what}, over HTTP", median_seconds(scheme, Remote(url), key), "s", note)


def median_seconds(scheme: Adi2018, suspect: Suspect, key: TriggerKey) -> float:
    """Return the median time of a verification, after one to warm up."""
    seconds = [measure(lambda: scheme.verify(suspect, key)).seconds for _ in range(RUNS + 1)]
    return median(seconds[1:])


@contextmanager
def served(model: nn.Module) -> Iterator[str]:
    """Put a model behind HTTP, at a free port of this machine; yield its URL."""
    with running(service(model, limits=LIMITS), LIMITS) as url:
        yield url
