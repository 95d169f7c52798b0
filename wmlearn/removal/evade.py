"""Leave the mark in, and keep the verifier from seeing it: ask several models, refuse odd queries, blur what
comes in.

D. Hitaj, B. Hitaj, L. Mancini: Evasion Attacks Against Watermarking Techniques found in MLaaS Systems, SDS
2019 (arXiv:1809.00615): an ensemble of stolen models, and a detector of odd queries that answers them at
random. Input changes: Lukas and others: SoK, S&P 2022. Differs: the other models of the vote are small ones
of the thief's own, since one marked model is stolen; the detector is what principal components of the thief's
images leave out, in place of a trained autoencoder.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, require_images, require_numbers, split
from ..errors import require
from ..models import forward, reborn
from ..training import Recipe, trained
from .copies import sound_copy


@dataclass(frozen=True)
class Vote:
    """Answer as most of these do: the stolen model, and `others` trained on halves of the thief's data."""

    others: int = 2
    recipe: Recipe = Recipe(epochs=8, lr=5e-3, batch_size=128)

    def __post_init__(self) -> None:
        fix = "Fewer can't outvote the stolen model."
        require(self.others >= 2, "others must be at least 2", self.others, fix)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        stolen = sound_copy(model, samples).eval()
        voters = [stolen]
        for seed in range(self.others):
            half = split(samples, max(1, len(samples) // 2), seed=seed)[0]
            voter, _ = trained(reborn(stolen, 100 + seed), half, replace(self.recipe, seed=seed))
            voters.append(voter)
        return Committee(voters).eval()


class Committee(nn.Module):
    """Several models (N, classes); the answer is the label that most of them give, or the first one's."""

    asks = True  # in their own precision

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        logits: list[Tensor] = [forward(member, x) for member in self.members]
        votes = torch.stack([F.one_hot(answer.argmax(1), answer.shape[1]) for answer in logits]).sum(0)
        return votes + 0.5 * logits[0].softmax(1)  # half a vote at most: it decides a tie, and nothing else


@dataclass(frozen=True)
class Refuse:
    """Answer at random where an image lies farther from the principal components of the thief's images than
    all but a `share` of these.
    """

    share: float = 0.02
    components: int = 40

    def __post_init__(self) -> None:
        require(0 < self.share < 1, "share must lie in (0, 1)", self.share)
        require(self.components >= 1, "components must be at least 1", self.components)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        require_numbers(samples.x, "Refuse")
        require(len(samples) >= 2, "samples must hold at least 2 images", len(samples))
        half = len(samples) // 2
        seen, unseen = split(samples, half, len(samples) - half)
        rule = f"half of the samples must be more than the {self.components} components"
        require(len(seen) > self.components, rule, len(seen))
        flat = seen.x.flatten(1)  # (N, C * H * W)
        mean = flat.mean(0)
        basis = torch.linalg.svd(flat - mean, full_matrices=False).Vh[: self.components]
        guard = Guard(sound_copy(model, samples).eval(), mean, basis)
        # from images that the components were not made for, as a verifier's aren't
        guard.limit.copy_(guard.odd(unseen.x).quantile(1 - self.share))
        return guard.eval()


class Guard(nn.Module):
    """A model (N, classes) behind a detector of odd images; one image always gets the same, random label."""

    asks = True  # in its own precision

    mean: Tensor
    basis: Tensor
    limit: Tensor

    def __init__(self, model: nn.Module, mean: Tensor, basis: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", mean)  # (C * H * W,)
        self.register_buffer("basis", basis)  # (components, C * H * W)
        self.register_buffer("limit", torch.zeros((), device=mean.device))

    def odd(self, x: Tensor) -> Tensor:
        """Return how much of each image the principal components leave out, (N,)."""
        flat = x.flatten(1) - self.mean
        return (flat - flat @ self.basis.T @ self.basis).norm(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        logits = forward(self.model, x).clone()
        odd = self.odd(x) > self.limit
        # from the pixels, not by lot: a label that changed from one query to the next would give it away
        label = (x[odd].flatten(1).double().sum(1) * 1e4).long() % logits.shape[1]
        logits[odd] = F.one_hot(label, logits.shape[1]).to(logits)
        return logits


Change = Literal["jpeg", "smooth", "quantise"]


@dataclass(frozen=True)
class Inputs:
    """Change every image before the model sees it: a JPEG file, a blur, few levels of brightness."""

    change: Change = "smooth"

    def __post_init__(self) -> None:
        rule = f"change must be one of {', '.join(get_args(Change))}"
        require(self.change in get_args(Change), rule, self.change)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        refused = require_numbers if self.change == "quantise" else require_images
        refused(samples.x, f"Inputs({self.change!r})")
        return Behind(sound_copy(model, samples).eval(), CHANGES[self.change]).eval()


class Behind(nn.Module):
    """A model (N, classes) behind a change of its images."""

    asks = True  # in its own precision

    def __init__(self, model: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return forward(self.model, self.change(x))


def jpeg(x: Tensor, quality: int = 50) -> Tensor:
    """Compress and open each image (N, C, H, W), C = 1 or 3."""
    images = (x * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()  # (N, H, W, C)
    packed = np.stack([_pack(image, quality) for image in images])
    return torch.from_numpy(packed).permute(0, 3, 1, 2).to(x) / 255


def _pack(image: np.ndarray, quality: int) -> np.ndarray:
    """Send a picture (H, W, C) uint8 through a JPEG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file)).reshape(image.shape)


def smooth(x: Tensor) -> Tensor:
    """Average 3 x 3 pixels, the middle one counted four times."""
    weights = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]], device=x.device).div(16)
    kernel = weights.expand(x.shape[1], 1, 3, 3)  # each channel by itself
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=x.shape[1])


def quantise(x: Tensor, levels: int = 4) -> Tensor:
    """Round brightness to a few levels."""
    return (x * (levels - 1)).round() / (levels - 1)


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {"jpeg": jpeg, "smooth": smooth, "quantise": quantise}
