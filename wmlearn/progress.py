"""Bars beside long work. The package is silent until a notebook, which somebody watches, says what draws a
bar: `watch(tqdm)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 2.0  # seconds: what is done by then needs no bar
_draw: Callable[..., Any] | None = None


def watch(draw: Callable[..., Any] | None) -> None:
    """Show bars that `draw`, as `tqdm.tqdm` does, or none."""
    global _draw
    _draw = draw


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Yield what is to be called after each of `total` steps. The bar goes when all is done."""
    began, done, shown = monotonic(), 0, None

    def step() -> None:
        nonlocal done, shown
        done += 1
        if shown is not None:
            shown.update()
        elif _draw is not None and monotonic() - began > PATIENCE:
            shown = _draw(desc=what, total=total, initial=done, leave=False)

    try:
        yield step
    finally:
        if shown is not None:
            shown.close()


def each(items: Sequence[T], what: str) -> Iterator[T]:
    """Go through `items`, with a bar beside them."""
    with bar(what, len(items)) as step:
        for item in items:
            yield item
            step()
