"""Trained networks that ship with the course, as safetensors: numbers only, so that opening one can't run
anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from torch import nn

from ..data import files
from ..errors import DataError

Network = TypeVar("Network", bound=nn.Module)
LICENCE = "CC BY 4.0"


def restored(model: Network, name: str) -> Network:
    """Fill `model` with the shipped weights `name`, in place, and return it in eval mode.

    Raises `DataError` when the file is missing, damaged, or of another network.
    """
    from safetensors.torch import load

    path = files.ROOT / "models" / f"{name}.safetensors"
    weights = load(files.shipped(f"models/{name}.safetensors"))
    shapes, wanted = (
        {key: tuple(value.shape) for key, value in part.items()} for part in (weights, model.state_dict())
    )
    if shapes != wanted:
        odd = next(key for key in {**wanted, **shapes} if shapes.get(key) != wanted.get(key))
        rule = f"{path} must hold the weights of this network, with {odd} of shape {wanted.get(odd)}"
        raise DataError(f"{rule}, got {shapes.get(odd)}. {files.REMEDY}")
    model.load_state_dict(
        {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    )
    return model.eval()


def ship(model: nn.Module, name: str, *, made: str) -> Path:
    """For maintainers: write the weights of `model`, in half precision, where `restored` finds them, and
    enter them in the manifest.
    """
    from safetensors.torch import save

    path = files.ROOT / "models" / f"{name}.safetensors"
    weights = {
        key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()
    }
    files.write(path, save({key: value.contiguous().cpu() for key, value in weights.items()}))
    files.record(f"models/{name}.safetensors", licence=LICENCE, origin="trained by this project", made=made)
    return path
