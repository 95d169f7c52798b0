"""What a user brings to a command: a network by a factory or in a file, images in a folder or by name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ..data import LOADERS, Samples, Splits, load, read_arrays, read_folder
from ..errors import ArgumentError, DataError, WmlearnError, require
from ..evidence import Suspect
from ..models.networks import seeded
from ..suspects import OnnxModel, load_suspect
from ..training import best_device
from ..words import visible

FORM = "my.py:build or package.module:build"


def open_model(source: str, factory: str | None = None) -> nn.Module | OnnxModel:
    """Return the model at `source`, in eval mode: what a factory builds, the weights of a safetensors file in
    what `factory` builds, or an ONNX file.

    Raises `WmlearnError` for a factory that isn't there, fails, or builds no network.
    """
    model = _opened(source, factory)
    fix = "A service is asked by wmlearn ownership."
    require(isinstance(model, nn.Module | OnnxModel), "the model must be here", visible(source), fix)
    assert isinstance(model, nn.Module | OnnxModel)
    return model


def _opened(source: str, factory: str | None) -> Suspect:
    if source.lower().endswith(".safetensors"):
        fix = "Add --factory my.py:build."
        require(factory is not None, "a safetensors file needs the factory of its network", "none", fix)
        return load_suspect(source, build(str(factory)))
    is_file = source.lower().endswith(".onnx") or (Path(source).suffix != "" and ":" not in source)
    if is_file:
        return load_suspect(source)
    require(factory is None, "a factory must not be named twice", f"{source}, --factory {factory}")
    return build(source)


def open_network(source: str, factory: str | None = None) -> nn.Module:
    """Return the network at `source`, weights and all; raise `ArgumentError` for one that only answers."""
    model = open_model(source, factory)
    fix = f"Give {FORM}, or FILE.safetensors with --factory."
    require(isinstance(model, nn.Module), "the model must show its weights", type(model).__name__, fix)
    assert isinstance(model, nn.Module)
    return model


def found_device(name: str) -> torch.device:
    """Return the device called `name`; of "auto" a graphics card where there is one.

    Raises `ArgumentError` for one that isn't here.
    """
    if name == "auto":
        return best_device()
    rule = "the device must be auto, cpu, or a graphics card that PyTorch finds, cuda"
    try:
        device = torch.device(name)
        torch.empty(1, device=device).cpu()
    except (RuntimeError, AssertionError) as error:  # PyTorch without cards asserts
        fix = "Take --device cpu, or install a PyTorch for your card."
        raise ArgumentError(f"{rule}, got {visible(name)[:50]!r}. {fix}") from error
    return device


@contextmanager
def strangers(what: str) -> Iterator[None]:
    """Turn what a stranger's network raises while it runs into one clear error; `what` it was doing."""
    try:
        yield
    except (WmlearnError, OSError):
        raise
    except Exception as error:
        raise WmlearnError(f"{what} must work with this network, got {_said(error)}.") from error


def build(factory: str) -> nn.Module:
    """Return what the factory `my.py:build` or `package.module:build` returns, in eval mode; the same on
    every run, where it draws from PyTorch's generator.
    """
    place, _, name = factory.rpartition(":")
    require(bool(place and name), f"a model must be {FORM}, FILE.safetensors or FILE.onnx", factory)
    make = _function(_module(place), place, name)
    try:
        model = seeded(make, 0)
    except (Exception, SystemExit) as error:
        raise WmlearnError(f"{_rule(factory)}, got {_said(error)}. Call it in Python first.") from error
    require(isinstance(model, nn.Module), _rule(factory), type(model).__name__, "End it with return model.")
    return model.eval()


def _rule(factory: str) -> str:
    return f"the factory {factory} must return a torch.nn.Module when it is called without arguments"


def _module(place: str) -> ModuleType:
    """Import a module by its name, or by its file; processes that start later find it, too."""
    is_file = place.endswith(".py")
    path = Path(place).resolve()
    if is_file and not path.is_file():
        raise DataError(f"{place} must be a Python file with the factory, got nothing. Check the name.")
    folder = str(path.parent if is_file else Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        module = importlib.import_module(path.stem if is_file else place)
    except (Exception, SystemExit) as error:
        rule = f"{place} must be a module that can be imported"
        raise WmlearnError(f"{rule}, got {_said(error)}. Import it in Python first.") from error
    found = getattr(module, "__file__", None)
    if is_file and (found is None or Path(found).resolve() != path):
        rule = f"{place} must have a name that no other module has"
        raise WmlearnError(f"{rule}, got that of {found}. Rename the file.")
    return module


def _function(module: ModuleType, place: str, name: str) -> Callable[[], Any]:
    made = getattr(module, name, None)
    names = [word for word, value in vars(module).items() if callable(value) and word[0] != "_"]
    rule = f"{place} must have a function {name}"
    require(callable(made), rule, f"only {', '.join(names[:20]) or 'none'}")
    assert callable(made)
    return made


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {visible(str(error)[:200])}"


@dataclass(frozen=True)
class Reading:
    """How pictures are read: see `data.read_folder`."""

    size: int | None = None
    channels: int | None = None
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Images:
    """Images from a folder or a data set, the names of their files, and what is to be said of them."""

    samples: Samples
    names: tuple[str, ...]
    about: tuple[str, ...]


def read_images(source: str, reading: Reading, *, training: bool = False, labelled: bool = True) -> Images:
    """Read images: a folder of class folders; of an .npz file, or of a data set by its name, the test images,
    or those for `training`.
    """
    if source.lower().endswith(".npz"):
        return _of_arrays(source, reading, "train" if training else "test", labelled)
    if source in LOADERS and not source.startswith("street") and not Path(source).is_dir():
        splits = load(source)
        assert isinstance(splits, Splits)
        samples = splits.train if training else splits.test
        samples = _some(samples, reading.limit)
        part = "training" if training else "test"
        return Images(samples, (), (f"{len(samples):,} {part} images of {source}",))
    pictures = read_folder(
        source, size=reading.size, channels=reading.channels, limit=reading.limit, labelled=labelled
    )
    shown = " by ".join(map(str, pictures.samples.x.shape[1:]))
    about = [f"{len(pictures.names):,} of {pictures.total:,} pictures of {source}, {shown}"]
    skipped = list(pictures.skipped.items())
    if skipped:
        some = "; ".join(f"{name}: {why}" for name, why in skipped[:5])
        about.append(f"{len(skipped):,} pictures of {source} were left out: {some}")
    return Images(pictures.samples, pictures.names, tuple(about))


def _of_arrays(source: str, reading: Reading, part: str, labelled: bool) -> Images:
    """Read images of an archive, which are taken as they are."""
    arrays = read_arrays(source, part=part, limit=reading.limit, labelled=labelled)
    samples = arrays.samples
    shape = tuple(samples.x.shape[1:])
    sides = (reading.size, reading.size) if reading.size else shape[1:]
    wanted = (reading.channels or shape[0], *sides)
    fix = "Scale them before you write the file, or leave out --size and --channels."
    require(shape == wanted, f"the images of {source} must be {wanted}, as asked", shape, fix)
    shown = " by ".join(map(str, shape))
    kind = "test images" if arrays.part == "test" else "images"
    return Images(samples, (), (f"{len(samples):,} of {arrays.total:,} {kind} of {source}, {shown}",))


def _some(samples: Samples, limit: int | None) -> Samples:
    """Draw as many samples as there may be."""
    if limit is None or limit >= len(samples):
        return samples
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))
    return samples[order[:limit]]
