"""Models of strangers as suspects: weights in safetensors, ONNX, or a URL. Pickles are refused: opening one
can run any code.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import DataError, require
from ..evidence import Suspect
from ..models import badnet_cnn, sign_cnn
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
    head = _head(path)
    # safetensors: a length, then {
    pickled = head.startswith(b"PK\x03\x04") or (head[:1] == b"\x80" and head[8:9] != b"{")
    if path.suffix.lower() in PICKLES or pickled:
        raise DataError(
            f"{path} must be safetensors or ONNX, got a pickled checkpoint: opening one can run any code."
            f" {CONVERT}"
        )
    if path.suffix.lower() == ".onnx":
        return _onnx(path)
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
    return _filled(_built(str(network)), path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(9)
    except OSError as error:
        raise DataError(f"{path} must be a file that can be read, got: {error.strerror}.") from error


def _built(network: str) -> nn.Module:
    name, _, classes = network.partition(":")
    fits = network == "badnet_cnn" or (
        name == "sign_cnn" and classes.isascii() and classes.isdigit() and 2 <= int(classes) <= 10_000
    )
    require(fits, "network must be badnet_cnn or sign_cnn:CLASSES", network)
    return badnet_cnn() if name == "badnet_cnn" else sign_cnn(int(classes))


def _filled(model: nn.Module, path: Path) -> nn.Module:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(f"{path} must be a whole safetensors file, got: {error}.") from error
    shapes, wanted = (
        {key: tuple(value.shape) for key, value in part.items()} for part in (weights, model.state_dict())
    )
    if shapes != wanted:
        odd = next(key for key in {**wanted, **shapes} if shapes.get(key) != wanted.get(key))
        raise DataError(
            f"{path} must hold this network, with {odd} of shape {wanted.get(odd)}, got {shapes.get(odd)}."
            " Name another one."
        )
    model.load_state_dict(
        {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    )
    return model.eval()


def _onnx(path: Path) -> Callable[[Tensor], Tensor]:
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
            found = session.run(None, {name: x.detach().cpu().float().numpy()})[0]
        except Exception as error:
            raise DataError(
                f"{path} must read images {tuple(x.shape)}, got: {str(error).splitlines()[0]}"
            ) from error
        return torch.as_tensor(found).to(x.device)

    return suspect
