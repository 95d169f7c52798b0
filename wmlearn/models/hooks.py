"""What the layers of a network say while it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

Keep = Callable[[Tensor, Tensor], Tensor]
"""From what a layer is given and what it answers to what is kept of it."""


@contextmanager
def listening(layers: Sequence[nn.Module], keep: Keep) -> Iterator[dict[nn.Module, list[Tensor]]]:
    """Keep something of each of `layers` whenever the network reads a batch, for as long as this is open.

    Yields layer -> one tensor a batch, filled while the network reads; a slope goes back through them.
    """
    notes: dict[nn.Module, list[Tensor]] = {layer: [] for layer in layers}

    def note(layer: nn.Module, given: tuple[Tensor, ...], answer: Tensor) -> None:
        notes[layer].append(keep(given[0], answer))

    handles = [layer.register_forward_hook(note) for layer in layers]
    try:
        yield notes
    finally:
        for handle in handles:
            handle.remove()
