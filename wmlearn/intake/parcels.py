"""A parcel: a folder with a model, what its maker says of it, and perhaps a signature or code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ..data import files, strict_json
from ..errors import DataError, require
from .signatures import SIGNATURE

CARD = "card.json"
CODE = "network.py"
SAFE = "model.safetensors"
PICKLED = "model.pt"
MANIFEST = "SHA256SUMS"
LARGEST = 2**31  # bytes of a model
FIX = "Ask its sender for a whole one."


@dataclass(frozen=True)
class Card:
    """What a maker says of a model; "" where he is silent. Nothing of it is proved by saying it."""

    maker: str
    network: str
    data: str  # what it was trained on
    backbone: str = ""  # the model that it was fine-tuned from
    backbone_maker: str = ""


def pack_parcel(
    folder: Path, weights: Mapping[str, Any], card: Card | None, *, pickled: bool = False, code: str = ""
) -> Path:
    """Write a parcel into `folder`, which is made: weights, card, code, and the list of their hashes.

    `pickled` weights may hold more than tensors. Returns the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if pickled:
        torch.save(dict(weights), folder / PICKLED)
    else:
        files.write(folder / SAFE, save({name: part.contiguous().cpu() for name, part in weights.items()}))
    if card is not None:
        files.write(folder / CARD, json.dumps(asdict(card), indent=1).encode())
    if code:
        files.write(folder / CODE, code.encode())
    files.write(folder / MANIFEST, hash_list(folder).encode())
    return folder


def hash_list(folder: Path) -> str:
    """Return lines "hash, two spaces, name" of the files in a folder, as sha256sum writes them."""
    names = sorted(path.name for path in folder.iterdir() if path.name not in (MANIFEST, SIGNATURE))
    return "".join(f"{file_hash(folder / name)}  {name}\n" for name in names)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(files.read(path, most=LARGEST, fix=FIX)).hexdigest()


def model_file(folder: Path) -> Path:
    """Return the model in a parcel; raise `DataError` unless there is one, and only one."""
    found = [folder / name for name in (SAFE, PICKLED) if (folder / name).is_file()]
    if len(found) != 1:
        raise DataError(f"{folder} must hold {SAFE} or {PICKLED}, got {len(found)} of them. {FIX}")
    return found[0]


def read_card(folder: Path) -> Card | None:
    """Read what the maker says; nothing where there is no card. Raises `DataError` for a damaged one."""
    if not (folder / CARD).is_file():
        return None
    content = strict_json.read(folder / CARD)
    fields = Card.__dataclass_fields__
    fits = isinstance(content, dict) and content.keys() == fields.keys()
    if not fits or not all(isinstance(value, str) for value in content.values()):
        raise DataError(f"{folder / CARD} must say {', '.join(fields)} in words, got something else. {FIX}")
    return Card(**content)


def weights_in(folder: Path) -> dict[str, Tensor]:
    """Read the weights of a parcel, and nothing else: a pickle is read by PyTorch's loader of weights only.

    Raises `DataError` for a file that is damaged, or asks for more.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = model_file(folder)
    try:
        if path.name == SAFE:
            return load(files.read(path, most=LARGEST, fix=FIX))
        content = torch.load(path, weights_only=True, map_location="cpu")
        require(isinstance(content, dict), "a checkpoint must map names to weights", type(content).__name__)
        return {name: part for name, part in content.items() if isinstance(part, Tensor)}
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} must be whole, got: {_first_line(error)}. {FIX}") from error
    except Exception as error:  # the loader raises kinds of its own
        rule = f"{path} must hold weights only"
        raise DataError(
            f"{rule}, got: {_first_line(error)[:120]}. Ask its sender for safetensors."
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def network_in(folder: Path, network: nn.Module) -> nn.Module:
    """Return `network` with the weights of a parcel, in eval mode; raise `DataError` where they don't fit."""
    from ..models.shipped import filled

    return filled(network, weights_in(folder), model_file(folder), FIX)
