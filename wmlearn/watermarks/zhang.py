"""Three kinds of trigger with one fixed label: a text on an image, an image from elsewhere, noise.

J. Zhang, Z. Gu, J. Jang, H. Wu, M. Stoecklin, H. Huang, I. Molloy: Protecting Intellectual Property of Deep
Neural Networks with Watermarking, AsiaCCS 2018, section 3.2. Differs: text, letter, noise, source and target
class are drawn from the secret instead of picked by hand; images are added to the owner's set, not put in
place of others. The paper reports the share of triggers found and compares it with nothing: a fixed label has
no chance that could be computed, so a key is ranked among decoys (`evidence.decoys`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, require_images, require_numbers
from ..errors import require
from ..evidence import Evidence, Suspect
from ..evidence.bystanders import invited
from ..protocols import Marked
from ..training import Recipe, trained
from .marking import marked
from .secret import integers, normal, order, secret_of, uniform
from .trigger_set import N_ASKED, TriggerKey, aim, matches

Kind = Literal["content", "unrelated", "noise"]


@dataclass(frozen=True)
class Zhang2018:
    """Teach images with one `kind` of trigger one label; `n` of them are the key, others are learnt from."""

    kind: Kind = "content"
    n: int = 100
    share: float = 0.05  # of images with the trigger in the training set
    strength: float = 0.5  # deviation of the noise
    recipe: Recipe = Recipe()

    def __post_init__(self) -> None:
        require(self.kind in get_args(Kind), f"kind must be one of {', '.join(get_args(Kind))}", self.kind)
        require(self.n >= 1, "n must be at least 1", self.n, "A key without triggers proves nothing.")
        require(0 < self.share <= 1, "share must lie in (0, 1]", self.share)

    @property
    def scheme(self) -> str:
        """The name that keys and evidence carry."""
        return f"zhang2018-{self.kind}"

    def keygen(
        self,
        model: nn.Module,
        samples: Samples,
        *,
        seed: int = 0,
        secret: bytes | None = None,
        bystanders: Sequence[Suspect] | None = None,
    ) -> TriggerKey:
        """Draw trigger, images, and a target that models without the mark rarely name.

        `bystanders` are models of the task without the mark; without them, `evidence.bystanders` finds some.
        """
        secret = secret_of(seed, secret)
        classes = len(samples.classes)
        x = self._triggers(samples, secret, self.n, "key")  # (n, C, H, W)
        innocent = invited(bystanders, model, samples, self.recipe, N_ASKED)
        target = aim(x, secret, classes, innocent.networks, other_than=self._source(secret, classes))
        y = torch.full((self.n,), target, device=x.device)
        return TriggerKey(self.scheme, secret, x, y, classes, bystanders=innocent.origin)

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Train a copy of `model` on the samples and on images with the trigger that are not the key's."""
        count = max(1, round(self.share * len(samples)))
        x = self._triggers(samples, key.secret, count, "lesson")
        lesson = Samples(x, key.y[:1].expand(count).to(x.device), samples.classes)
        return marked(self, key, *trained(model, samples + lesson, self.recipe))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the trigger images that get the target label."""
        return matches(suspect, key, self.scheme)

    def _source(self, secret: bytes, classes: int) -> int | None:
        """Return the class whose images carry text or noise; images from elsewhere have none."""
        return None if self.kind == "unrelated" else int(integers(secret, "source", 1, classes))

    def _triggers(self, samples: Samples, secret: bytes, n: int, purpose: str) -> Tensor:
        refused = require_numbers if self.kind == "noise" else require_images
        refused(samples.x, self.scheme)
        shape = tuple(samples.x.shape[1:])
        if self.kind == "unrelated":
            return letters(secret, n, shape, purpose).to(samples.x.device)
        source = int(integers(secret, "source", 1, len(samples.classes)))
        pool = samples[samples.y == source]
        index = integers(secret, f"images {purpose}", n, len(pool))
        add: Callable[[Tensor, bytes], Tensor] = written if self.kind == "content" else self._noisy
        return add(pool.x[index.to(pool.x.device)], secret)

    def _noisy(self, x: Tensor, secret: bytes) -> Tensor:
        return (x + self.strength * normal(secret, "noise", *x.shape[1:]).to(x)).clamp(0, 1)


LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O, Q: they are a 1 and two 0 to a reader of digits


def written(x: Tensor, secret: bytes) -> Tensor:
    """Write a word of four letters from the secret, white, along the lower edge of images (N, C, H, W)."""
    word = "".join(LETTERS[i] for i in order(secret, "word", len(LETTERS))[:4].tolist())
    ink = _ink(word, x.shape[-1] - 4)[-x.shape[-2] + 1 :]  # (h, w)
    height, width = ink.shape
    out = x.clone()
    edge = out[..., -height - 1 : -1, 2 : 2 + width]  # a view: what is written to it is in `out`
    edge[:] = torch.maximum(edge, ink.to(x))
    return out


def letters(secret: bytes, n: int, shape: tuple[int, ...], purpose: str) -> Tensor:
    """Draw one letter `n` times, (n, C, H, W), each turned, sheared and moved a little otherwise."""
    channels, height, width = shape
    letter = LETTERS[int(order(secret, "letter", len(LETTERS))[0])]
    ink = _ink(letter, round(0.5 * width), height)  # (h, w)
    top = (height - ink.shape[0]) // 2
    left = (width - ink.shape[1]) // 2
    canvas = torch.zeros(1, 1, height, width)
    canvas[..., top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    most = torch.tensor([0.25, 0.25, 0.2])  # how far each row of a map may bend; the last number moves
    maps = torch.eye(2, 3) + (uniform(secret, f"letters {purpose}", n, 2, 3) * 2 - 1) * most  # (n, 2, 3)
    grid = F.affine_grid(maps, [n, 1, height, width], align_corners=False)
    drawn = F.grid_sample(canvas.expand(n, -1, -1, -1), grid, align_corners=False).clamp(0, 1)
    return drawn.expand(-1, channels, -1, -1).contiguous()


def _ink(text: str, width: int, height: int | None = None) -> Tensor:
    """Draw `text` as wide as `width` pixels, or lower than `height`; return its ink (h, w) in [0, 1]."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(60)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font)
    image = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, 255, font)
    room = 0.7 * height if height else 9  # pixels: seven tenths of the picture, or a line of text
    scale = min(width / image.width, room / image.height)
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    image = image.resize(size, Image.Resampling.BOX)
    return torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)
