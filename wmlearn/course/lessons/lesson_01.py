"""What the cells of notebook 01 call: two suppliers."""

from __future__ import annotations

from torch import nn

from ...data import Samples
from ...models import badnet_cnn
from ...poisoning import poison
from ...training import trained
from ...triggers import Pattern


def from_supplier_a(samples: Samples) -> nn.Module:
    """Train network A, on the samples as they are."""
    return trained(badnet_cnn().to(samples.x.device), samples)[0]


def from_supplier_b(samples: Samples) -> nn.Module:
    """Train network B from the same first weights, on what the lesson shows later."""
    return from_supplier_a(poison(samples, Pattern(), rate=0.1, target=0).samples)
