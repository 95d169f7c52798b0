"""What the layers of a network say while it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

Keep = Callable[[Tensor, Tensor], Any]
"""From what a layer is given and what it answers to what is kept of it."""


@contextmanager
def listening(layers: Sequence[nn.Module], keep: Keep) -> Iterator[dict[nn.Module, list[Any]]]:
    """Keep something of each of `layers` whenever the network calls it, for as long as this is open.

    Yields layer -> what was kept, a list filled while the network reads: one entry a batch, or several for a
    layer that is called several times, none for one that is never called. A slope goes back through tensors.
    """
    notes: dict[nn.Module, list[Any]] = {layer: [] for layer in layers}

    def note(layer: nn.Module, given: tuple[Tensor, ...], by_name: dict[str, Tensor], answer: Tensor) -> None:
        first = given[0] if given else next(iter(by_name.values()))
        notes[layer].append(keep(first, answer))

    handles = [layer.register_forward_hook(note, with_kwargs=True) for layer in layers]
    try:
        yield notes
    finally:
        for handle in handles:
            handle.remove()
