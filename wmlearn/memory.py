"""What was trained once is not trained again: networks, remembered by everything that decides their weights.

Nothing is remembered until somebody names a folder: `keep(folder)`. A notebook does, in a working copy.
"""

from __future__ import annotations

import dis
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .data import files
from .errors import DataError, MemoryWarning

PLAIN = (type(None), bool, int, float, str, bytes, torch.dtype, torch.device)
SILENT = ("course", "plots", "cli", "bench")
"""Folders of the package that no weight depends on."""

_folder: Path | None = None
_recalls = True
_trained: set[str] = set()
"""The keys of what was trained here since `keep`."""


def keep(folder: Path | None, *, recalls: bool = True) -> None:
    """Remember trainings in `folder` from now on; with None, none.

    Without `recalls`, every network is trained once from now on, whatever was remembered before.
    """
    global _folder, _recalls
    _folder = folder
    _recalls = recalls
    _trained.clear()


def key(model: nn.Module, *decides: Any) -> str:
    """Hash the weights that a training starts from, and all that `decides` what comes of them.

    "" when nothing is remembered, or when something can't be told from another by its contents, such as a
    function that draws on a generator.
    """
    if _folder is None:
        return ""
    return fingerprint(_circumstances(), model, *decides)


def fingerprint(*parts: Any) -> str:
    """Hash all that tells `parts` from others by their contents: tensors, networks, frozen dataclasses,
    functions with what they hold; "" where something can't be told so.
    """
    digest = hashlib.sha256()
    try:
        for part in parts:
            _feed(digest.update, part, set())
    except _Unknown:
        return ""
    return digest.hexdigest()


def recall(key: str, model: nn.Module) -> tuple[float, ...] | None:
    """Fill `model` with the remembered weights, and return the numbers kept beside them; None when there are
    none.

    A damaged file is set aside, and said so with `MemoryWarning`.
    """
    from safetensors import SafetensorError, safe_open

    wanted = key and (_recalls or key in _trained)
    if not wanted or not _path(key).exists():
        return None
    try:
        with safe_open(_path(key), "pt") as stored:
            numbers = json.loads(stored.metadata()["numbers"])  # our own, and a loss may be NaN
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        model.load_state_dict(weights)
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError):
        aside = _path(key).with_suffix(".damaged")
        _path(key).replace(aside)
        _warn(f"A remembered network was damaged. It lies at {aside} now, and is trained again.")
        return None
    return tuple(numbers)


def remember(key: str, model: nn.Module, numbers: Sequence[float]) -> None:
    """Keep the weights of `model`, and a few numbers with them; a folder that can't be written only warns."""
    from safetensors.torch import save

    if not key:
        return
    weights = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    try:
        files.write(_path(key), save(weights, {"numbers": json.dumps(list(numbers))}))
        _trained.add(key)
    except DataError as error:
        _warn(f"The trained network could not be remembered; next time it is trained again. {error}")


def _path(key: str) -> Path:
    assert _folder is not None
    return _folder / f"{key}.safetensors"


def _warn(text: str) -> None:
    warnings.warn(text, MemoryWarning, stacklevel=4)


class _Unknown(Exception): ...


def _feed(put: Callable[[bytes | memoryview], object], value: Any, above: set[int]) -> None:
    """Put all that tells `value` from another into a digest; `above` are the ids of what holds it."""
    put(f"<{type(value).__module__}.{type(value).__qualname__}>".encode())
    if isinstance(value, PLAIN):
        put(repr(value).encode())
    elif isinstance(value, Tensor):
        put(f"{value.dtype} {tuple(value.shape)} {value.requires_grad}".encode())
        put(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    elif id(value) in above:  # it holds itself, like a function that calls itself
        put(b"again")
    else:
        for part in _parts(value):
            _feed(put, part, above | {id(value)})


def _parts(value: Any) -> list[Any]:
    """Name what a compound value is made of."""
    if isinstance(value, nn.Module):
        return [repr(value), *value.parameters(), dict(value.named_buffers())]
    if isinstance(value, Mapping):
        return [part for item in value.items() for part in item]
    if isinstance(value, (list, tuple)):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, (ModuleType, type)):
        return [value.__name__]
    if isinstance(value, FunctionType):
        return _of_function(value)
    if callable(value) and hasattr(value, "__qualname__"):  # built in
        return [value.__qualname__]
    raise _Unknown(value)


def _of_function(function: FunctionType) -> list[Any]:
    """Name a function of the package or of a library, with its lines; take one of a notebook apart, with all
    that it uses.
    """
    if function.__module__ != "__main__" and not function.__module__.startswith("wmlearn.course"):
        name = [function.__module__, function.__qualname__, _instructions(function.__code__)]
        return [*name, _closure(function), function.__defaults__]
    names = sorted(_globals(function.__code__) & function.__globals__.keys())
    used = {name: function.__globals__[name] for name in names}
    return [_instructions(function.__code__), _closure(function), function.__defaults__, used]


def _closure(function: FunctionType) -> list[Any]:
    try:
        return [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError as error:  # a cell that is still empty
        raise _Unknown(function) from error


def _globals(code: CodeType) -> set[str]:
    names = {
        step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for part in code.co_consts:
        if isinstance(part, CodeType):
            names |= _globals(part)
    return names


def _instructions(code: CodeType) -> list[Any]:
    """Return what a function does, without its place in a file."""
    constants = [_instructions(part) if isinstance(part, CodeType) else part for part in code.co_consts]
    return [code.co_code, code.co_names, code.co_varnames, [repr(part) for part in constants]]


def _circumstances() -> list[Any]:
    """Name what moves the last digits, besides the recipe: versions, the package's own lines, threads."""
    capability = torch.backends.cpu.get_cpu_capability()
    versions = [version("wmlearn"), torch.__version__, _lines()]
    return [*versions, torch.get_num_threads(), capability, torch.are_deterministic_algorithms_enabled()]


@cache
def _lines() -> str:
    """Hash the package's own code, so that a changed line trains anew."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in SILENT:
            digest.update(path.read_bytes())
    return digest.hexdigest()
