"""Models of strangers as suspects: weights in safetensors, ONNX, or a URL.

Pickles are refused: opening one can run any code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import DataError, require
from ..evidence import Suspect
from ..models import badnet_cnn, sign_cnn
from ..models.shipped import filled
from .remote import Remote

PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
CONVERT = (
    "Ask its owner for safetensors, or convert it where nothing can be lost: "
    "state = torch.load(path, weights_only=True); safetensors.torch.save_file(state, 'model.safetensors')."
)


def load_suspect(source: str | Path, network: str | None = None) -> Suspect:
    """Open the model at `source`: PATH.safetensors with the name of its `network`, PATH.onnx, or http(s)://…

    Names are badnet_cnn and sign_cnn:CLASSES. Raises `DataError` for a file that is missing, damaged, of
    another network, or a pickle.
    """
    if str(source).startswith(("http://", "https://")):
        return Remote(str(source))
    path = Path(source)
    _refuse_pickles(path)
    if path.suffix.lower() == ".onnx":
        return _load_onnx(path)
    require(
        path.suffix.lower() == ".safetensors",
        "source must end in .safetensors or .onnx, or be a URL",
        str(source),
    )
    require(
        network is not None,
        "network must be named, as safetensors hold numbers only",
        network,
        "Say badnet_cnn or sign_cnn:20.",
    )
    return filled(_build(str(network)), _read_weights(path), path, "Name another one.")


def _refuse_pickles(path: Path) -> None:
    """Raise `DataError` for a pickle, by its name or its first bytes."""
    head = _head(path)
    is_archive = head.startswith(b"PK\x03\x04")
    # safetensors may begin with the same byte: eight bytes of length, then {
    is_pickle = head[:1] == b"\x80" and head[8:9] != b"{"
    if path.suffix.lower() in PICKLES or is_archive or is_pickle:
        raise DataError(
            f"{path} must be safetensors or ONNX, got a pickled checkpoint: opening one can run any code."
            f" {CONVERT}"
        )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(9)
    except OSError as error:
        raise DataError(f"{path} must be a file that can be read, got: {error.strerror}.") from error


def _build(network: str) -> nn.Module:
    """Build the network that is called `network`, untrained."""
    name, _, number = network.partition(":")
    if name == "sign_cnn" and number.isascii() and number.isdigit() and 2 <= int(number) <= 10_000:
        return sign_cnn(int(number))
    require(network == "badnet_cnn", "network must be badnet_cnn or sign_cnn:CLASSES", network)
    return badnet_cnn()


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} must be a whole safetensors file, got: {error}.") from error


def _load_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    try:
        import onnxruntime  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise DataError(
            'ONNX needs onnxruntime, which is not installed. Run pip install "wmlearn[onnx]".'
        ) from error
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a kind of its own for each fault
        raise DataError(f"{path} must be a whole ONNX model, got: {str(error).splitlines()[0]}.") from error
    name = session.get_inputs()[0].name

    def suspect(x: Tensor) -> Tensor:
        try:
            output = session.run(None, {name: x.detach().cpu().float().numpy()})[0]
        except Exception as error:
            raise DataError(
                f"{path} must read images {tuple(x.shape)}, got: {str(error).splitlines()[0]}"
            ) from error
        return torch.as_tensor(output).to(x.device)

    return suspect
