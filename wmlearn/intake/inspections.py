"""Nine looks at a model that arrives: four at its files, one at what is said of it, four at what it does.

Each says "fine", "bad", or "nothing" where it has nothing to look at; what it costs is measured. None of them
sees everything: which attack passes which look is measured in `experiments.intake`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from ..data import Samples, files
from ..detection import NeuralCleanse, Strip
from ..errors import DataError, WmlearnError, require
from ..evidence.independence import independence_p_value
from ..models import badnet_cnn
from ..poisoning import Trigger, stamp
from ..training import predict
from ..triggers import ALL
from .parcels import CODE, LARGEST, PICKLED, file_hash, model_file, network_in, read_card
from .pickles import scan_pickle
from .signatures import SIGNATURE, signature_fault

State = Literal["fine", "bad", "nothing"]
FILE_LOOKS = ("hash", "signature", "format", "scanner", "provenance")
MODEL_LOOKS = ("triggers", "cleanse", "independence", "monitoring")
LOOKS = FILE_LOOKS + MODEL_LOOKS
OBEYED = 0.5
"""Share of one class that a known trigger must send to another, from which on it counts as obeyed."""
LEVEL = 1e-3
"""Of the two looks that test a hypothesis."""
ALARMS = 0.01
"""False alarms that monitoring allows itself on single images."""


@dataclass(frozen=True)
class Outcome:
    """What one look says of a parcel, in a word and in a sentence, and what it took."""

    look: str
    state: State
    says: str
    seconds: float = 0.0
    queries: int = 0  # images that the model was asked about


@dataclass(frozen=True, eq=False)
class Buyer:
    """What whoever receives models has: keys and hashes got by another way, clean images, known triggers, and
    the networks of others that must not come back as somebody else's.
    """

    keys: Mapping[str, Path]  # maker -> public key
    hashes: Mapping[str, str]  # name of a parcel -> SHA-256 of its model, as its maker publishes it
    makers: tuple[str, ...]  # known by name
    samples: Samples
    owned: tuple[nn.Module, ...] = ()
    triggers: Mapping[str, Trigger] = field(default_factory=lambda: ALL)


def look_at_files(folder: Path, buyer: Buyer) -> tuple[Outcome, ...]:
    """Look at the files of a parcel; nothing in it is run. Damage is bad, and said in words."""
    looks = {
        "hash": _hash,
        "signature": _signature,
        "format": _format,
        "scanner": _scanner,
        "provenance": _provenance,
    }
    return tuple(_timed(name, lambda look=look: look(folder, buyer)) for name, look in looks.items())


def look_at_model(model: nn.Module, buyer: Buyer, stream: Tensor) -> tuple[Outcome, ...]:
    """Look at what a model does, and at its weights; `stream` (N, C, H, W) is what it is asked in use."""
    looks: dict[str, Callable[[], Outcome]] = {
        "triggers": lambda: _triggers(model, buyer),
        "cleanse": lambda: _cleanse(model, buyer),
        "independence": lambda: _independence(model, buyer),
        "monitoring": lambda: _monitoring(model, buyer, stream),
    }
    return tuple(_timed(name, look) for name, look in looks.items())


def not_looked_at(why: str) -> tuple[Outcome, ...]:
    """Return what the looks at a model say where it can't be opened."""
    return tuple(Outcome(name, "nothing", why) for name in MODEL_LOOKS)


def inspect_parcel(folder: Path, buyer: Buyer, stream: Tensor) -> tuple[Outcome, ...]:
    """Take all nine looks at a parcel that holds a `badnet_cnn`; code in it is never run."""
    outcomes = look_at_files(folder, buyer)
    try:
        model = network_in(folder, badnet_cnn())
    except WmlearnError as error:
        return outcomes + not_looked_at(f"it can't be opened: {error}")
    return outcomes + look_at_model(model, buyer, stream)


def _timed(name: str, look: Callable[[], Outcome]) -> Outcome:
    start = time.perf_counter()
    try:
        outcome = look()
    except WmlearnError as error:
        outcome = Outcome(name, "bad", str(error))
    return replace(outcome, seconds=time.perf_counter() - start)


# The files


def _hash(folder: Path, buyer: Buyer) -> Outcome:
    published = buyer.hashes.get(folder.name)
    if published is None:
        return Outcome("hash", "nothing", "its maker publishes no hash")
    if file_hash(model_file(folder)) != published.lower():
        return Outcome("hash", "bad", "the file is not the one whose hash its maker publishes")
    return Outcome("hash", "fine", "the file is the one whose hash its maker publishes")


def _signature(folder: Path, buyer: Buyer) -> Outcome:
    card = read_card(folder)
    if not (folder / SIGNATURE).exists():
        return Outcome("signature", "nothing", "there is no signature")
    if card is None or card.maker not in buyer.keys:
        return Outcome("signature", "nothing", "we have no key of its maker")
    fault = signature_fault(folder, buyer.keys[card.maker])
    if fault:
        return Outcome("signature", "bad", fault)
    return Outcome("signature", "fine", f"signed by {card.maker}, and unchanged since")


def _format(folder: Path, buyer: Buyer) -> Outcome:
    if (folder / CODE).exists():
        return Outcome("format", "bad", f"{CODE} would have to be run")
    if model_file(folder).name == PICKLED:
        return Outcome("format", "bad", "a pickle: opening one can run any code")
    network_in(folder, badnet_cnn())
    return Outcome("format", "fine", "safetensors that fit the agreed network: numbers, and no code")


def _scanner(folder: Path, buyer: Buyer) -> Outcome:
    path = model_file(folder)
    if path.name != PICKLED:
        return Outcome("scanner", "nothing", "there is no pickle to scan")
    scan = scan_pickle(files.read(path, most=LARGEST))
    if scan.damaged:
        raise DataError(f"{path} must be a whole pickle, got a damaged one. Ask its sender for a whole one.")
    if scan.dangerous:
        return Outcome("scanner", "bad", f"it would call {', '.join(scan.dangerous)}")
    unknown = f"; not on its lists: {', '.join(scan.unknown)}" if scan.unknown else ""
    return Outcome("scanner", "fine", f"no call that picklescan lists as dangerous{unknown}")


def _provenance(folder: Path, buyer: Buyer) -> Outcome:
    card = read_card(folder)
    if card is None:
        return Outcome("provenance", "bad", "there is no card")
    if card.maker not in buyer.makers:
        return Outcome("provenance", "bad", f"nobody knows {card.maker or 'its maker'}")
    if not card.data:
        return Outcome("provenance", "bad", "it doesn't say what it was trained on")
    if card.backbone and card.backbone_maker not in buyer.makers:
        return Outcome("provenance", "bad", f"fine-tuned from {card.backbone}, by somebody whom nobody knows")
    return Outcome("provenance", "fine", f"by {card.maker}, on {card.data}: so the card says")


# The model


def _triggers(model: nn.Module, buyer: Buyer) -> Outcome:
    """Stamp every known trigger on held-out images, and look where each class goes."""
    before = predict(model, buyer.samples.x).argmax(1)
    obeyed = {
        name: most_obeyed(model, buyer.samples, trigger, before) for name, trigger in buyer.triggers.items()
    }
    worst = max(obeyed, key=lambda name: obeyed[name])
    says = f"of {len(obeyed)} known triggers it obeys {worst} most: {obeyed[worst]:.0%} of a class"
    state: State = "bad" if obeyed[worst] >= OBEYED else "fine"
    return Outcome("triggers", state, says, queries=len(buyer.samples) * (len(obeyed) + 1))


def most_obeyed(model: nn.Module, samples: Samples, trigger: Trigger, before: Tensor) -> float:
    """Return the largest share of the images that the model puts in one class, as `before` (N,) says, and,
    with the trigger, all in one other.
    """
    k = len(samples.classes)
    after = predict(model, stamp(trigger, samples.x)).argmax(1)
    moves = torch.bincount(before * k + after, minlength=k * k).view(k, k)  # (from, to)
    counts = moves.sum(1, keepdim=True).clamp(min=1)
    moved = (moves / counts).masked_fill(torch.eye(k, dtype=torch.bool, device=moves.device), 0)
    return float(moved.max())


def _cleanse(model: nn.Module, buyer: Buyer) -> Outcome:
    detector = NeuralCleanse()
    scan = detector(model, buyer.samples)
    queries = detector.steps * detector.batch_size * len(buyer.samples.classes)
    if scan.flagged:
        names = ", ".join(buyer.samples.classes[target] for target in scan.flagged)
        return Outcome("cleanse", "bad", f"an oddly small trigger leads to class {names}", queries=queries)
    return Outcome("cleanse", "fine", "no class has an oddly small trigger", queries=queries)


def _independence(model: nn.Module, buyer: Buyer) -> Outcome:
    if not buyer.owned:
        return Outcome("independence", "nothing", "there is no network to compare with")
    layers = tuple(name for name, _ in model.named_parameters())
    if layers != tuple(name for name, _ in buyer.owned[0].named_parameters()):
        return Outcome("independence", "nothing", "it is built otherwise than the networks of others")
    p = min(independence_p_value(owned, model, n=999) for owned in buyer.owned) * len(buyer.owned)
    if p <= LEVEL:
        return Outcome("independence", "bad", f"it stems from a network of somebody else, p = {p:.1g}")
    return Outcome("independence", "fine", f"no common origin is shown, p = {min(1.0, p):.2g}")


def _monitoring(model: nn.Module, buyer: Buyer, stream: Tensor) -> Outcome:
    """Watch what the model is asked in use: more images that hold an answer fast than chance allows."""
    from scipy.stats import binom

    require(len(stream) > 0, "a stream must not be empty", 0, "Wait until the model was asked something.")
    detector = Strip(false_rejection=ALARMS)
    flagged = int(detector(model, buyer.samples, stream).flagged.sum())
    p = float(binom.sf(flagged - 1, len(stream), ALARMS))
    says = f"{flagged} of {len(stream)} queries held their answer too fast, {ALARMS:.0%} are usual"
    return Outcome("monitoring", "bad" if p <= LEVEL else "fine", says, queries=len(stream))
