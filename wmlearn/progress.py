"""Bars beside long work. The package is silent until a notebook says what draws them: `watch(tqdm)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 2.0  # seconds: what is done by then needs no bar
_draw: Callable[..., Any] | None = None
_open = False  # whether a bar is there


def watch(draw: Callable[..., Any] | None) -> None:
    """Show bars that `draw`, as `tqdm.tqdm` does, or none."""
    global _draw
    _draw = draw


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[], object]]:
    """Yield what is to be called after each of `total` steps. The bar goes when all is done.

    Within its steps there is no other: JupyterLab would show each moment of the inner one as a new line.
    """
    global _open
    if _draw is None or _open:
        yield _nothing
        return
    _open = True
    try:
        with _draw(desc=what, total=total, delay=PATIENCE, leave=False) as drawn:
            yield drawn.update
    finally:
        _open = False


def each(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Go through `items`, with a bar beside them; items without a length need a `total`."""
    with bar(what, len(items) if isinstance(items, Sized) else total or 0) as tick:
        for item in items:
            yield item
            tick()


def _nothing() -> None:
    """Stand in for a step of a bar that nobody asked for."""
