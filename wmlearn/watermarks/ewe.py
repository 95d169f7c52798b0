"""Entangled watermarks: the triggers share the features of their target class, so that who copies the task
copies the mark.

H. Jia, C. Choquette-Choo, V. Chandrasekaran, N. Papernot: Entangled Watermarks as a Defense against Model
Extraction, USENIX Security 2021, arXiv:2002.12200, sections 4 and 5. Differs: the trigger is a patch drawn
from the secret (the paper looks for the place with the largest gradient), its source class too; the
temperature is the mean squared distance of each layer (the paper: learnt); a small entangling batch goes with
every step (the paper: with every few). The paper's null, 1 / classes, is not used: a fixed target has none,
so a key is ranked among decoys (`evidence.decoys`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..evidence import Evidence, Suspect
from ..evidence.bystanders import invited
from ..models import forward, listening
from ..models.adapter import eagerly
from ..protocols import Marked
from ..training import Recipe, trained
from .gu import Gu2017
from .marking import marked
from .secret import integers, secret_of
from .trigger_set import N_ASKED, TriggerKey, aim, matches, pick

SCHEME = "jia2021-ewe"


@dataclass(frozen=True)
class Jia2021:
    """Teach stamped images of one class another class, and mix both groups' activations in hidden layers."""

    n: int = 100
    size: int = 5  # pixels, the side of the patch
    share: float = 0.05  # of stamped images in an epoch
    strength: float = 0.1  # kappa
    batch: int = 16  # images of either group in an entangling batch
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
        """Draw patch, source, and a target that models without the mark rarely name.

        `bystanders` are models of the task without the mark; without them, `evidence.bystanders` finds some.
        """
        require(self.n >= 1, "n must be at least 1", self.n, "A key without triggers proves nothing.")
        secret = secret_of(seed, secret)
        classes = len(samples.classes)
        source = _source(secret, classes)
        x = self._stamp(pick(samples, secret, self.n, source=source).x, secret)
        innocent = invited(bystanders, model, samples, self.recipe, N_ASKED)
        target = aim(x, secret, classes, innocent.networks, other_than=source)
        y = torch.full((self.n,), target, device=x.device)
        return TriggerKey(SCHEME, secret, x, y, classes, bystanders=innocent.origin)

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Train a copy of `model` on the samples and on stamped images of the source class, and reward
        entanglement.
        """
        source = _source(key.secret, key.classes)
        target = int(key.y[0])
        stamped = self._stamp(samples.x[samples.y == source], key.secret)
        natural = samples.x[samples.y == target]
        lot = torch.Generator().manual_seed(self.recipe.seed)

        def some(x: Tensor, n: int) -> Tensor:
            return x[torch.randint(len(x), (n,), generator=lot).to(x.device)]

        def penalty(network: nn.Module) -> Tensor:
            both = torch.cat([some(natural, self.batch), some(stamped, self.batch)])  # (2 * batch, C, H, W)
            group = torch.arange(len(both), device=both.device) < self.batch
            mixture = torch.stack([entanglement(layer, group) for layer in activations(network, both)])
            return -self.strength * mixture.mean()  # the more entangled, the smaller the loss

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
    distance = torch.cdist(features, features).square()  # (N, N)
    temperature = distance.detach().mean().clamp_min(1e-12)
    others = 1 - torch.eye(len(features), device=features.device)  # nobody is its own neighbour
    close = torch.exp(-distance / temperature) * others
    alike = (close * (group[:, None] == group)).sum(1)  # (N,)
    return -torch.log(alike / close.sum(1) + 1e-9).mean()


def activations(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Return what each rectified layer answers to `x`, (N, D) each; slopes go back through it."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.ReLU)]
    require(len(layers) > 0, "the model must have nn.ReLU layers to entangle", type(model).__name__)
    with eagerly(model), listening(layers, lambda given, answer: answer.flatten(1)) as notes:
        forward(model, x)
    return [answer for layer in layers for answer in notes[layer]]  # one layer may be called several times


def _source(secret: bytes, classes: int) -> int:
    return int(integers(secret, "source", 1, classes))
