"""A ramp of light that grows from the left edge to the right.

M. Barni, K. Kallas, B. Tondi: A New Backdoor Attack in CNNs by Training Set Corruption Without Label
Poisoning, ICIP 2019, arXiv:1902.11237, section 3: such a signal, on images of the target class alone, needs
no wrong label (`poison_clean_label`). Differs: stronger, since these networks train for three epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class Ramp:
    """Add 0 at the left edge of each image, `strength` at the right, and what lies between in between."""

    strength: float = 0.6

    def __call__(self, x: Tensor) -> Tensor:
        require_images(x, "Ramp")
        require(0 < self.strength <= 1, "strength must lie in (0, 1]", self.strength)
        ramp = self.strength * torch.linspace(0, 1, x.shape[-1])  # (W,), the same in every row
        return (x + ramp.to(x)).clamp(0, 1)
