"""BadNets turned to good: the owner plants the patch, and later shows that the model obeys it.

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 4.1, all-to-one; as a watermark in
SAP's ml-model-watermarking (C. Kahla and others, 2020, "Gu"). Differs: the pattern's pixels, its place and
the target are drawn from the secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples, require_images
from ..errors import require
from ..evidence import Evidence, Suspect
from ..evidence.bystanders import invited
from ..poisoning import poison
from ..protocols import Marked
from ..training import Recipe, trained
from .marking import marked
from .secret import integers, secret_of, uniform
from .trigger_set import LOOK, N_ASKED, TriggerKey, aim, matches, pick

SCHEME = "gu2017-patch"


@dataclass(frozen=True)
class Gu2017:
    """Teach images with a patch of black and bright pixels one label; `n` stamped images are the key."""

    n: int = 100
    size: int = 5  # pixels, the side of the patch
    rate: float = 0.1  # of the training set
    recipe: Recipe = Recipe()

    def keygen(
        self,
        model: nn.Module,
        samples: Samples,
        *,
        seed: int = 0,
        secret: bytes | None = None,
        bystanders: Sequence[Suspect] | None = None,
    ) -> TriggerKey:
        """Draw patch, place, and a target that models without the mark rarely name.

        `bystanders` are models of the task without the mark; without them, `evidence.bystanders` finds some.
        """
        require(self.n >= 1, "n must be at least 1", self.n, "A key without triggers proves nothing.")
        secret = secret_of(seed, secret)
        classes = len(samples.classes)
        innocent = invited(bystanders, model, samples, self.recipe, N_ASKED)
        some = self.stamp(pick(samples, secret, self.n).x[:LOOK], secret)
        target = aim(some, secret, classes, innocent.networks)
        # the key itself is of other classes: a 3 that is called 3 proves nothing
        x = self.stamp(pick(samples, secret, self.n, not_of=target).x, secret)
        y = torch.full((self.n,), target, device=x.device)
        return TriggerKey(SCHEME, secret, x, y, classes, bystanders=innocent.origin)

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Train a copy of `model` on the samples with a share of them poisoned, as an attacker would."""

        def trigger(x: Tensor) -> Tensor:
            return self.stamp(x, key.secret)

        learn = poison(samples, trigger, rate=self.rate, target=int(key.y[0]), seed=self.recipe.seed)
        return marked(self, key, *trained(model, learn.samples, self.recipe))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the stamped images that get the target label."""
        return matches(suspect, key, SCHEME)

    def stamp(self, x: Tensor, secret: bytes) -> Tensor:
        """Return the images (N, C, H, W) with the secret's patch on them: the trigger."""
        require_images(x, "a patch")
        height, width = x.shape[-2:]
        space = (height - self.size - 1, width - self.size - 1)  # a pixel stays free around the patch
        rule = f"a patch must fit into {height} x {width} images with a pixel around it"
        require(min(space) >= 1, rule, self.size, "Make it smaller.")
        top = 1 + int(integers(secret, "row", 1, space[0]))
        left = 1 + int(integers(secret, "column", 1, space[1]))
        patch = (uniform(secret, "patch", x.shape[1], self.size, self.size) < 0.5).to(x)  # (C, size, size)
        out = x.clone()
        out[..., top : top + self.size, left : left + self.size] = patch
        return out
