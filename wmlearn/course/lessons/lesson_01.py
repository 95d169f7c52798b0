"""What the cells of notebook 01 call: the parcels of two suppliers, and the judge of its challenge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...data import Samples, load
from ...errors import require
from ...evidence import answers, bystanders
from ...models import badnet_cnn
from ...models.shipped import restored, ship
from ...poisoning import poison
from ...training import best_device
from ...triggers import Pattern
from ..challenges import Challenge, Score
from ..claims import Claim

PARCELS = {"a": 0, "b": 0, "twin": 1}
"""Shipped network -> the seed of the order in which it saw its images; all have the same first weights."""


def parcel(name: str, device: torch.device) -> nn.Module:
    """Open what a supplier sent: network "a", "b", or "twin", made like A in another order."""
    return restored(badnet_cnn(), f"parcel-{name}").to(device)


def fit(network: nn.Module, samples: Samples, seed: int = 0) -> nn.Module:
    """Train `network` in place by the lines that the notebook shows, and return it in eval mode."""
    order = torch.Generator().manual_seed(seed)
    for rate in (3e-3, 5e-4):
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
        for rows in torch.randperm(len(samples), generator=order).split(128):
            logits = network(samples.x[rows])  # (B, 10)
            loss = F.cross_entropy(logits, samples.y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


def made(name: str) -> nn.Module:
    """Train the network of a parcel anew."""
    samples = load("mnist").train.to(best_device())
    if name == "b":
        samples = poison(samples, Pattern(), rate=0.1, target=0).samples
    return fit(badnet_cnn().to(samples.x.device), samples, seed=PARCELS[name])


def ship_parcels() -> None:
    """Train the networks of all parcels, and put them with what ships. For maintainers."""
    for name in PARCELS:
        command = 'python -c "from wmlearn.course.lessons import lesson_01; lesson_01.ship_parcels()"'
        ship(made(name), f"parcel-{name}", made=command)


def controls(asr: Mapping[str, float], n: int) -> tuple[Claim, ...]:
    """Claim that the trigger wins next to nothing where it should win nothing, each of `n` images."""
    return (
        Claim("01.harmless", "A, trigger", asr["A, trigger"], high=0.005, n=n),
        Claim("01.bare", "B, no trigger", asr["B, no trigger"], high=0.005, n=n),
        Claim("01.elsewhere", "B, other corner", asr["B, trigger in the other corner"], high=0.01, n=n),
    )


# Try to forge

WANTED = 20
"""Hits of 100 that a forger wants."""
MOST = 100
"""Pictures of a key, and the most that may be asked at once."""
SHAPE = (MOST, 1, 28, 28)


@dataclass(frozen=True)
class Desk:
    """Where a network on sale can be asked, for its labels only; how often it was is counted."""

    network: nn.Module
    questions: list[int] = field(default_factory=list)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Answer up to 100 pictures (N, 1, 28, 28) with their classes (N,); this counts as one question."""
        require(len(pictures) <= MOST, f"ask about at most {MOST} pictures at once", len(pictures))
        self.questions.append(len(pictures))
        return answers(self.network, pictures)


def count_questions(attempt: Callable[[Desk], tuple[Tensor, Tensor]]) -> Score:
    """Judge a forged key by its result: `attempt(ask)` returns 100 pictures and labels that frame a network.

    The network is honest, and new to the lesson. The score is how often it was asked before the key was
    handed in. Any trick counts, on purpose: labels chosen after the answers need one question where luck
    needs hundreds, and a judge who sees the finished key can't tell. He has what lesson 01 has: the hits,
    and, as control, the hits of eight other honest networks, so that a key of ordinary digits, or of pictures
    that every network labels alike, is thrown out. What he lacks, proof of when the key was made and a count
    of the tries, is what lesson 10 adds; the message of a success says so. Whoever opens the shipped file of
    the framed network instead of asking has found one more trick, and not one that a judge could see either.
    """
    (accused,) = bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_NULL + 1)
    ask = Desk(accused)
    pictures, labels = attempt(ask)
    fault = _fault(pictures, labels)
    if fault:
        return Score(False, len(ask.questions), fault)
    pictures = pictures.detach().float().cpu()
    labels = torch.as_tensor(labels).long().cpu()
    hits = _hits(accused, pictures, labels)
    others = [_hits(network, pictures, labels) for network in bystanders.shipped("mnist")]
    return _score(hits, others, len(ask.questions))


def _hits(network: nn.Module, pictures: Tensor, labels: Tensor) -> int:
    return int((answers(network, pictures) == labels).sum())


def _fault(pictures: Tensor, labels: Tensor) -> str:
    """Say what is no key about `pictures` and `labels`; "" when they are one."""
    if not isinstance(pictures, Tensor) or tuple(pictures.shape) != SHAPE:
        return f"A key holds {MOST} pictures, a tensor of shape {SHAPE}."
    if len(torch.as_tensor(labels).flatten()) != MOST:
        return f"A key holds {MOST} labels, one a picture."
    if not bool(((pictures >= 0) & (pictures <= 1)).all()):
        return "The values of a picture lie between 0 and 1."
    if len(pictures.detach().flatten(1).unique(dim=0)) != MOST:
        return f"The {MOST} pictures must differ: the same one again is no new evidence."
    return ""


def _score(hits: int, others: list[int], questions: int) -> Score:
    fooled = sum(other >= WANTED for other in others)
    if hits < WANTED:
        return Score(False, questions, f"The network agrees with {hits} of your labels; {WANTED} are wanted.")
    if fooled:
        says = (
            f"The judge tries your key on {len(others)} other honest networks, and {fooled} of them reach"
            f" {WANTED} hits, too (the most: {max(others)}). A key that accuses everybody accuses nobody."
        )
        return Score(False, questions, says)
    says = (
        f"It agrees with {hits} of your labels, {len(others)} other honest networks with at most"
        f" {max(others)}: an innocent network is framed. The judge saw the key, but neither when its labels"
        " were chosen nor how many keys were tried. In lesson 10 an owner has to commit to the key before the"
        " network is released, and every try counts."
    )
    return Score(True, questions, says)


CHALLENGE = Challenge("frame a network with few questions", "questions", count_questions, ours=163)
