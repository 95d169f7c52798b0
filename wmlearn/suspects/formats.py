"""Models of strangers as suspects: weights in safetensors, ONNX, or a URL.

Pickles are refused: opening one can run any code.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from ..errors import DataError, require
from ..evidence import Suspect
from ..models import badnet_cnn, sign_cnn
from ..models.shipped import filled
from .onnx_model import open_onnx, read_regular
from .remote import Remote

LARGEST = 2**32  # bytes of a file
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
CONVERT = (
    "Ask its owner for safetensors, or convert it where nothing can be lost: "
    "state = torch.load(path, weights_only=True); safetensors.torch.save_file(state, 'model.safetensors')."
)


def load_suspect(source: str | Path, network: str | nn.Module | None = None) -> Suspect:
    """Open the model at `source`: PATH.safetensors with its `network`, PATH.onnx, or http(s)://…

    The network is one of your own, whose weights are left alone, or badnet_cnn or sign_cnn:CLASSES. Raises
    `DataError` for a file that is missing, damaged, of another network, a pickle, or full of numbers that are
    none. An ONNX file gives an `OnnxModel`, whose `sha256` names it in documents.
    """
    if str(source).lower().startswith(("http://", "https://")):
        return Remote(str(source))
    path = Path(source)
    _refuse_pickles(path)
    if path.suffix.lower() == ".onnx":
        _require_onnxruntime()
        return open_onnx(path)
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
    empty = network if isinstance(network, nn.Module) else _build(str(network))
    model = filled(empty, _read_weights(path), path, "Name another one.")
    _check_finite(model, path)
    return model


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
    return read_regular(path, LARGEST, 9)


def _build(network: str) -> nn.Module:
    """Build the network that is called `network`, untrained."""
    name, _, number = network.partition(":")
    if name == "sign_cnn" and number.isascii() and number.isdigit() and 2 <= int(number) <= 10_000:
        return sign_cnn(int(number))
    require(network == "badnet_cnn", "network must be badnet_cnn or sign_cnn:CLASSES", network)
    return badnet_cnn()


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        weights = load(read_regular(path, LARGEST))
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} must be a whole safetensors file, got: {error}.") from error
    for name, weight in weights.items():
        if weight.is_complex():
            raise DataError(f"{path} must hold real weights, got {weight.dtype} in {name}.")
    return weights


def _check_finite(model: nn.Module, path: Path) -> None:
    """Raise `DataError` for weights that are infinite or NaN: such a network answers 0 to everything."""
    for name, weight in model.state_dict().items():
        if not bool(weight.isfinite().all()):
            raise DataError(f"{path} must hold finite weights, got infinity or NaN in {name}.")


def _require_onnxruntime() -> None:
    if find_spec("onnxruntime") is None:
        raise DataError('ONNX needs onnxruntime, which is not installed. Run pip install "wmlearn[onnx]".')
