"""What the cells of notebook 07 call: networks that ship, a colleague's key, tables; and the dial."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples
from ...evidence import bystanders
from ...experiments import Results, shipped
from ...experiments.decoys import tested
from ...plots.canvas import Row
from ...plots.keys import Trial, key_point
from ...watermarks import secret
from ...watermarks.zhang import letters
from ..claims import Claim
from ..widgets import Dial, depict, redraw
from .lesson_01 import parcel


def clean(device: torch.device) -> nn.Module:
    """Return notebook 01's honest network: it is the owner's, before any mark."""
    return parcel("a", device)


def unmarked(device: torch.device) -> list[nn.Module]:
    """Return the forty shipped networks that learnt digits and never saw a mark."""
    return [
        copy.deepcopy(network).to(device) for network in bystanders.shipped("mnist", 0, bystanders.N_DIGITS)
    ]


def market(others: Sequence[nn.Module], device: torch.device) -> dict[str, nn.Module]:
    """Put notebook 01's BadNet among three strangers."""
    first, second, third, *_ = others
    return {"network A": first, "network B": second, "network C": parcel("b", device), "network D": third}


def colleagues_key(samples: Samples, seed: int = 15, n: int = 100) -> Samples:
    """Draw a letter many times, and call it what an innocent reader of digits would: an H is a 4.

    The letter was searched for: `seed` is the first whose letter all strangers take for one digit.
    """
    x = letters(secret.secret_of(seed, None), n, tuple(samples.x.shape[1:]), "key").to(samples.x.device)
    return Samples(x, torch.full((n,), 4, device=x.device), samples.classes)


def sheet(keys: Mapping[str, tuple[Tensor, Tensor]], samples: Samples, n: int = 7) -> dict[str, Samples]:
    """Return the first pictures of each key with their labels."""
    return {name: Samples(x[:n], y[:n], samples.classes) for name, (x, y) in keys.items()}


def shipped_hits() -> Tensor:
    """Return the hits of 200 keys with random labels on 32 networks that never saw them, (200, 32)."""
    (row,) = shipped("false-claims").where(scheme="adi2018")
    return torch.tensor(row["hits"]).float()


def mark_claims(trials: Mapping[str, Trial]) -> list[Claim]:
    """Claim what the decoys of the marks show: Zhang's answer to other keys, too, and Adi's doesn't."""
    zhang = [trials[name] for name in ("text", "letter", "noise")]
    n = sum(len(trial.decoys) for trial in zhang)
    half = sum(trial.half for trial in zhang)
    ties = sum(trial.as_high for trial in zhang)
    best = max(trials["abstract"].decoys)
    return [
        Claim("07.rivals", "Decoys with half of the owner's hits, Zhang's", half, low=4, unit="count", n=n),
        Claim("07.ties", "Decoys with as many, Zhang's", ties, low=1, unit="count", n=n),
        Claim("07.letter_p", "Letter: p", trials["letter"].p, low=0.005, unit="p"),
        Claim("07.abstract", "Abstract: hits of the best decoy", best, high=30, unit="count"),
    ]


def fidelity_claims(paired: Mapping[str, tuple[int, int, float]], n: int) -> list[Claim]:
    """Claim what marks cost: the digits that only the control, or only the marked network, gets right; p."""
    lost, won, own_p = paired["your patch"]
    others = [p for name, (_, _, p) in paired.items() if name != "your patch"]
    harm = (lost - won) / n
    return [
        Claim("07.lost", "Your patch: only the control is right", lost, high=150, unit="count"),
        Claim("07.won", "Your patch: only the marked one is right", won, high=100, unit="count"),
        Claim("07.harm_p", "Your patch: McNemar's p", own_p, high=0.05, unit="p"),
        Claim("07.harm", "Accuracy that your patch costs", harm, low=0.0003, high=0.0039, unit="points", n=n),
        Claim("07.gentle", "The other marks: smallest p", min(others), low=0.01, unit="p"),
    ]


SHIPPED_MARKS = {
    "gu2017-patch": "patch",
    "zhang2018-content": "text",
    "zhang2018-unrelated": "letter",
    "zhang2018-noise": "noise",
    "adi2018": "abstract",
}
LATER = {
    "none": "p",
    "adi2018-ftal": "p, trained on",
    "chen2021-refit": "p, at a large rate",
    "liu2018-fine-pruning": "p, fine-pruned",
    "distill-soft": "p, distilled",
    "overwrite-adi": "p, overwritten",
}
"""Removal in the experiment "decoys" -> the head of its column: what was done to the marked network."""


def shipped_p(results: Results, scheme: str, removal: str = "none") -> float:
    """Return the p-value of the owner's key among 999 decoys, on the marked network after `removal`."""
    (row,) = results.where(scheme=scheme)
    (cell,) = [cell for cell in row["removals"] if cell["removal"] == removal]
    return tested(cell).p_value


def decoy_rows(results: Results) -> list[list[str]]:
    """Return for each shipped mark the p-value among 999 decoys, before and after each removal of `LATER`."""
    rows = []
    for scheme, name in SHIPPED_MARKS.items():
        rows.append([name, *(f"{shipped_p(results, scheme, removal):.3f}" for removal in LATER)])
    return rows


def shipped_claims(results: Results) -> list[Claim]:
    """Claim which keys reach the judge's level among 999 decoys, and which don't."""
    lone = {name: shipped_p(results, scheme) for scheme, name in SHIPPED_MARKS.items()}
    return [
        Claim("07.lone_patch", "Patch: p among 999 decoys", lone["patch"], high=0.001, unit="p"),
        Claim("07.lone_abstract", "Abstract: p", lone["abstract"], high=0.001, unit="p"),
        Claim("07.lone_text", "Text: p", lone["text"], low=0.002, unit="p"),
        Claim("07.lone_letter", "Letter: p", lone["letter"], low=0.002, unit="p"),
        Claim("07.lone_noise", "Noise: p", lone["noise"], low=0.002, unit="p"),
    ]


# To play with


def key_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose the size of a key and how much is still known; see p-value and accuracy."""
    sizes = sorted({row["n"] for row in rows})
    size = Dial("key size", {str(n): n for n in sizes}, start=100)
    known = Dial("known", {f"{share} %": share for share in range(10, 101, 10)}, start=100)
    return redraw(lambda: depict(key_point, rows, size.value, known.value / 100), size, known)
