"""Trained networks that ship with the course, as safetensors: numbers, so that opening one runs nothing."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from safetensors.torch import load, save
from torch import Tensor, nn

from ..data import files
from ..errors import DataError

Network = TypeVar("Network", bound=nn.Module)
LICENCE = "CC BY 4.0"


def restored(model: Network, name: str) -> Network:
    """Return a copy of `model` with the shipped weights `name`, in eval mode.

    Raises `DataError` when the file is missing, damaged, or of another network.
    """
    path = files.ROOT / "models" / f"{name}.safetensors"
    return filled(model, load(files.shipped(f"models/{name}.safetensors")), path, files.REMEDY)


def filled(model: Network, weights: Mapping[str, Tensor], path: Path, fix: str) -> Network:
    """Return a copy of `model` with the weights that were read from `path`, in eval mode.

    Raises `DataError`, with the remedy `fix`, for the weights of another network.
    """
    shapes = _shapes(weights)
    wanted = _shapes(model.state_dict())
    if shapes != wanted:
        odd = next(key for key in {**wanted, **shapes} if shapes.get(key) != wanted.get(key))
        rule = f"{path} must hold the weights of this network, with {odd} of shape {wanted.get(odd)}"
        raise DataError(f"{rule}, got {shapes.get(odd)}. {fix}")
    new = copy.deepcopy(model)
    new.load_state_dict(weights)  # from half precision to the network's own
    return new.eval()


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def ship(model: nn.Module, name: str, *, made: str) -> Path:
    """Write the weights of `model`, in half precision, to where `restored` finds them, and into the manifest.

    For maintainers.
    """
    path = files.ROOT / "models" / f"{name}.safetensors"
    weights = {
        key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()
    }
    files.write(path, save({key: value.contiguous().cpu() for key, value in weights.items()}))
    files.record(f"models/{name}.safetensors", licence=LICENCE, origin="trained by this project", made=made)
    return path
