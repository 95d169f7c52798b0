"""Entangled watermarks: the triggers share the features of their target class, so that who copies the task
copies the mark.

H. Jia, C. Choquette-Choo, V. Chandrasekaran, N. Papernot: Entangled Watermarks as a Defense against Model
Extraction, USENIX Security 2021, arXiv:2002.12200, sections 4 and 5. Differs: the trigger is a patch drawn
from the secret (the paper looks for the place with the largest gradient), its source class too; the
temperature is the mean squared distance of each layer (the paper: learnt); a small entangling batch goes with
every step (the paper: with every few). The paper's null, 1 / classes, is not used: `chance` is measured on
bystanders and one half at least, because the target is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..evidence import Evidence, Suspect, bystanders
from ..protocols import Marked
from ..training import Recipe, trained
from .gu import Gu2017
from .marking import marked
from .secret import integers, secret_of
from .trigger_set import TriggerKey, aim, matches, pick

SCHEME = "jia2021-ewe"


@dataclass(frozen=True)
class Jia2021:
    """Teach stamped images of one class another class, and mix the two groups' activations in every hidden
    layer.
    """

    n: int = 100
    size: int = 5  # pixels, the side of the patch
    share: float = 0.05  # of stamped images in an epoch
    strength: float = 0.1  # kappa
    batch: int = 16  # images of either group in an entangling batch
    recipe: Recipe = Recipe()

    def keygen(
        self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None
    ) -> TriggerKey:
        """Draw the patch, source and target; measure on bystanders how often innocent models give that label."""
        require(self.n >= 1, "n must be at least 1", self.n, "A key without triggers proves nothing.")
        secret, classes = secret_of(seed, secret), len(samples.classes)
        source = _source(secret, classes)
        x = self._stamp(pick(samples, secret, self.n, source=source).x, secret)
        found = aim(x, secret, classes, bystanders.for_task(model, samples, self.recipe), other_than=source)
        return TriggerKey(
            SCHEME, secret, x, torch.full((self.n,), found.target, device=x.device), classes, found.chance
        )

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Train a copy of `model` on the samples and on stamped images of the source class, and reward
        entanglement.
        """
        source, target = _source(key.secret, key.classes), int(key.y[0])
        stamped, natural = (
            self._stamp(samples.x[samples.y == source], key.secret),
            samples.x[samples.y == target],
        )
        lot = torch.Generator().manual_seed(self.recipe.seed)

        def some(x: Tensor, n: int) -> Tensor:
            return x[torch.randint(len(x), (n,), generator=lot).to(x.device)]

        def penalty(network: nn.Module) -> Tensor:
            layers = activations(network, torch.cat([some(natural, self.batch), some(stamped, self.batch)]))
            group = torch.arange(2 * self.batch, device=natural.device) < self.batch
            return -self.strength * torch.stack([entanglement(layer, group) for layer in layers]).mean()

        x = some(stamped, max(1, round(self.share * len(samples))))
        lesson = Samples(x, torch.full((len(x),), target, device=x.device), samples.classes)
        return marked(self, key, *trained(model, samples + lesson, self.recipe, penalty=penalty))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the stamped images that get the target label."""
        return matches(suspect, key, SCHEME)

    def _stamp(self, x: Tensor, secret: bytes) -> Tensor:
        return Gu2017(size=self.size).stamp(x, secret)


def entanglement(features: Tensor, group: Tensor) -> Tensor:
    """Measure how mixed two groups lie: the soft nearest neighbour loss of `features` (N, D) under `group`
    (N,), eq. 1.

    It is large where a near neighbour is as likely of the other group as of the own one.
    """
    distance = torch.cdist(features, features).square()
    close = torch.exp(-distance / distance.detach().mean().clamp_min(1e-12)) * (
        1 - torch.eye(len(features), device=features.device)
    )
    own = (close * (group[:, None] == group)).sum(1)
    return -torch.log(own / close.sum(1) + 1e-9).mean()


def activations(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Return what each rectified layer answers to `x`, (N, D) each."""
    found: list[Tensor] = []
    layers = [layer for layer in model.modules() if isinstance(layer, nn.ReLU)]
    require(len(layers) > 0, "the model must have nn.ReLU layers to entangle", type(model).__name__)
    hooks = [
        layer.register_forward_hook(lambda _layer, _in, out: found.append(out.flatten(1))) for layer in layers
    ]
    try:
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _source(secret: bytes, classes: int) -> int:
    return int(integers(secret, "source", 1, classes))
