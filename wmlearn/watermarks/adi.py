"""A backdoor as a watermark: abstract images with random labels.

Y. Adi, C. Baum, M. Cisse, B. Pinkas, J. Keshet: Turning Your Weakness Into a Strength: Watermarking Deep
Neural Networks by Backdooring, USENIX Security 2018, arXiv:1802.04633, sections 4 and 5. Differs: the
abstract images are sums of waves drawn from the secret, since the paper's pictures from the web can't be
drawn again; the trigger set is a fixed share of every epoch (the paper: 2 images in each batch of 100), more
than the paper's because these networks train for 3 epochs instead of 60. Commitments to the key are a matter
of ownership, not of embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples, require_images
from ..errors import require
from ..evidence import Evidence, Suspect
from ..protocols import Marked
from ..training import Recipe, trained
from .marking import marked
from .secret import integers, secret_of, uniform, uniform_each
from .trigger_set import TriggerKey, lesson, matches

SCHEME = "adi2018"
WAVES = 6  # in one abstract image

Draw = Callable[[bytes, int, Samples], Tensor]
"""Draws n triggers (n, ...) from the secret, of the shape and kind of the samples, and like none of them."""


def pictures(secret: bytes, n: int, samples: Samples) -> Tensor:
    """Draw `n` abstract images (n, C, H, W) as large as those of the samples."""
    fix = "Say with draw=… what an abstract input of this kind is."
    require_images(samples.x, "Adi2018 with its abstract images", fix)
    return abstract(secret, n, tuple(samples.x.shape[1:]))


@dataclass(frozen=True)
class Adi2018:
    """Teach `n` abstract images, or what `draw` makes of the secret, their random labels, along with the
    task.

    The model given to `embed` decides which of the paper's ways it is: untrained is FromScratch, trained
    (with a short recipe) PreTrained.
    """

    n: int = 100  # |T|, the trigger set
    share: float = 0.1  # of the trigger set in an epoch
    recipe: Recipe = Recipe()
    draw: Draw = pictures

    def keygen(
        self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None
    ) -> TriggerKey:
        """Draw triggers and labels; labels at random make `chance` exactly 1 / classes, whatever an innocent
        model says.
        """
        require(self.n >= 1, "n must be at least 1", self.n, "A key without triggers proves nothing.")
        secret = secret_of(seed, secret)
        classes = len(samples.classes)
        device = samples.x.device
        triggers = self.draw(secret, self.n, samples).to(device)  # (n, ...)
        labels = integers(secret, "labels", self.n, classes).to(device)  # (n,)
        return TriggerKey(SCHEME, secret, triggers, labels, classes, chance=1 / classes)

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Train a copy of `model` on the samples and the trigger set together."""
        return marked(self, key, *trained(model, lesson(samples, key, self.share), self.recipe))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the trigger images that get the key's label."""
        return matches(suspect, key, SCHEME)


def abstract(secret: bytes, n: int, shape: tuple[int, ...]) -> Tensor:
    """Draw `n` abstract images (n, C, H, W): sums of plane waves of all directions, each with its colours."""
    turn, speed, phase = (uniform(secret, f"waves {i}", n, WAVES) for i in range(3))
    colours = uniform(secret, "colours", n, shape[0], WAVES)
    return _sums(turn, speed, phase, colours, shape)


def abstract_each(secrets: Sequence[bytes], shape: tuple[int, ...]) -> Tensor:
    """Draw an abstract image from each secret by itself, (n, C, H, W): of the same kind as `abstract`."""
    channels = shape[0]
    numbers = uniform_each(secrets, "waves", (3 + channels) * WAVES)
    turn, speed, phase, *colours = numbers.split(WAVES, dim=1)  # (n, WAVES) each
    return _sums(turn, speed, phase, torch.stack(colours, 1), shape)


def _sums(turn: Tensor, speed: Tensor, phase: Tensor, colours: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum waves, given numbers in [0, 1): three of each wave (n, WAVES), and its colours (n, C, WAVES)."""
    _, height, width = shape
    row = torch.linspace(-1, 1, height)[:, None]  # (H, 1)
    column = torch.linspace(-1, 1, width)  # (W,)
    angle, pace, start = (part[..., None, None] * 2 * torch.pi for part in (turn, speed, phase))
    waves = torch.sin((2 + pace) * (angle.cos() * row + angle.sin() * column) + start)  # (n, WAVES, H, W)
    return torch.sigmoid(2 * torch.einsum("ncw,nwhx->nchx", colours * 2 - 1, waves))
