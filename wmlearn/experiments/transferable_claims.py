"""False claims by pictures that all networks of a task answer alike, found on the forger's own networks.

J. Liu, R. Zhang, S. Szyller, K. Ren, N. Asokan: False Claims against Model Ownership Resolution, USENIX
Security 2024, arXiv:2304.06607: triggers that are adversarial examples, optimised on networks of one's own
and registered in time, are answered as the forger says by independent networks. Differs: the paper attacks
several ways of resolving ownership on CIFAR-10 and ImageNet; here abstract pictures are changed until up to
eight shipped networks that learnt digits give a label drawn at random, and 32 others are accused.

Every forger promises images and labels before he sees whom he accuses. Beside his keys stand two controls:
honest ones, and ground ones, for which he drew seeds until all his networks gave the label. Each key is
ranked twice: among decoys drawn by the honest recipe, and among other keys *made as it was made*.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..evidence import answers, bystanders
from ..models import forward
from ..training import Recipe, best_device
from ..watermarks import adi, secret
from .experiment import Cell, Comparison, Experiment, Results, Row

KEYS = 10
N = 50
"""Triggers of a key."""
DECOYS = 99
STEPS = 20
STEP = 0.02
POOL = 4_000
"""Seeds among which a grinder looks, for all triggers of a key."""
LEVEL = 1e-3
HONEST = "honest"
GROUND = "ground"
ADVERSARIAL = "adversarial"
SHAPE = (1, 28, 28)


@dataclass(frozen=True, eq=False)
class Key:
    """Pictures `x` (n, 1, 28, 28) and the labels `y` (n,) that their owner claims."""

    x: Tensor
    y: Tensor


def drawn(number: int, n: int = N) -> Key:
    """Draw a key by the honest recipe: abstract pictures, and a label at random for each."""
    device = best_device()
    secrets = secret.secret_of(number, None)
    return Key(
        adi.abstract(secrets, n, SHAPE).to(device), secret.integers(secrets, "labels", n, 10).to(device)
    )


def adversarial(key: Key, networks: tuple[nn.Module, ...], reach: float) -> Key:
    """Change a key's pictures, no pixel by more than `reach`, until the networks together give its labels.

    The steps are those of A. Madry and others, ICLR 2018, arXiv:1706.06083, targeted, on the mean loss.
    """
    x = key.x.clone()
    for _ in range(STEPS):
        x.requires_grad_()
        loss = torch.stack([F.cross_entropy(forward(network, x), key.y) for network in networks]).sum()
        (slope,) = torch.autograd.grad(loss, x)
        x = (x.detach() - STEP * slope.sign()).clamp(key.x - reach, key.x + reach).clamp(0, 1)
    return Key(x, key.y)


def ground(number: int, networks: tuple[nn.Module, ...]) -> Key:
    """Keep the first pictures to which all networks give the label that was drawn."""
    pool = drawn(number, POOL)
    agree = torch.stack([answers(network, pool.x) == pool.y for network in networks]).all(0)
    kept = agree.nonzero().flatten()[:N]
    return Key(pool.x[kept], pool.y[kept])


def made(cell: Cell, number: int) -> Key:
    """Make a forger's key of a cell's kind, on the first shipped networks, which are the forger's own."""
    networks = _networks()[: cell["own"]]
    if cell["kind"] == GROUND:
        return ground(number, networks)
    key = drawn(number)
    return adversarial(key, networks, cell["reach"]) if cell["kind"] == ADVERSARIAL else key


@lru_cache(1)
def _networks() -> tuple[nn.Module, ...]:
    """Return all shipped networks: the forger's, and then the innocents."""
    shipped = bystanders.shipped("mnist", 0, bystanders.N_DIGITS)
    return tuple(copy.deepcopy(network).to(best_device()).eval() for network in shipped)


def innocents() -> tuple[nn.Module, ...]:
    """Return the 32 networks that no forger searched on."""
    return _networks()[bystanders.N_NULL :]


def hits(key: Key) -> list[int]:
    """Count how many of its labels each innocent network gives a key."""
    return [int((answers(network, key.x) == key.y).sum()) for network in innocents()]


@lru_cache(1)
def _decoy_hits() -> Tensor:
    """Count the hits of the honest recipe's decoys on each innocent, (decoys, networks)."""
    return torch.tensor([hits(drawn(10_000 + i)) for i in range(DECOYS)])


def _measure(cell: Cell, recipe: Recipe) -> Row:
    keys = [made(cell, 1 + i) for i in range(KEYS)]
    table = torch.tensor([hits(key) for key in keys])  # (keys, networks)
    others = _decoy_hits()
    as_high = (others[None] >= table[:, None]).sum(1)  # (keys, networks)
    alike = (table[None] >= table[:, None]).sum(1) - 1  # without itself
    return {
        "sizes": [len(key.y) for key in keys],
        "hits": table.tolist(),
        "as_high": as_high.tolist(),
        "drawn": DECOYS,
        "alike": alike.tolist(),
    }


# What the rows say


def shown(row: Row) -> Tensor:
    """Say which claims (keys, networks) a court believes that counts hits, at its level."""
    from scipy.stats import binom

    sizes = torch.tensor(row["sizes"])[:, None]
    tails = binom.sf(torch.tensor(row["hits"]) - 1, sizes, 0.1)
    return torch.from_numpy(tails) <= LEVEL


def decoy_p(row: Row) -> Tensor:
    """Return each key's p-value on each innocent (keys, networks) among decoys of the honest recipe."""
    return (1 + torch.tensor(row["as_high"])) / (1 + row["drawn"])


def alike_p(row: Row) -> Tensor:
    """Return the same among the other keys that were made alike: their hits are the forger's as well."""
    return (1 + torch.tensor(row["alike"])) / len(row["sizes"])


def rates(row: Row) -> Tensor:
    """Return the share of each key (keys, networks) that each innocent matches."""
    return torch.tensor(row["hits"]) / torch.tensor(row["sizes"])[:, None]


def title(row: Row) -> str:
    """Say in words how a row's keys were made."""
    if row["kind"] == HONEST:
        return "honest keys (control)"
    own = "one network" if row["own"] == 1 else f"{row['own']} networks"
    if row["kind"] == GROUND:
        return f"seeds ground on {own} of the forger's own"
    return f"pictures changed by {row['reach']:g} at most, on {own} of the forger's own"


def _compare(results: Results) -> list[Comparison]:
    return [_compare_row(row) for row in results.rows]


def _compare_row(row: Row) -> Comparison:
    believed = shown(row)
    lowest = 1 / (1 + row["drawn"])
    alone = alike_p(row) <= 1 / len(row["sizes"])
    says = (
        f"{100 * rates(row).mean():.0f} % hits on {believed.shape[1]} innocents;"
        f" convicted at {LEVEL:g}: {int(believed.sum())} of {believed.numel()};"
        f" smallest p among honest decoys: {100 * (decoy_p(row) <= lowest).float().mean():.0f} %;"
        f" smallest p among keys made alike: {100 * alone.float().mean():.0f} %"
        f" (keys {len(row['sizes'])})"
    )
    return Comparison(f"{title(row)}: false claims", "", says)


TRANSFERABLE_CLAIMS = Experiment(
    name="transferable-claims",
    question="Which keys convict networks that nobody marked, and what do decoys say of them?",
    minutes=3,
    chapter="10 Whose model is it?",
    cells=(
        {"kind": HONEST, "own": 0, "reach": 0.0},
        {"kind": GROUND, "own": 8, "reach": 0.0},
        {"kind": ADVERSARIAL, "own": 1, "reach": 0.1},
        {"kind": ADVERSARIAL, "own": 1, "reach": 0.3},
        {"kind": ADVERSARIAL, "own": 8, "reach": 0.3},
    ),
    measure=_measure,
    summary=_compare,
)
