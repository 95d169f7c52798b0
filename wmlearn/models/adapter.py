"""One edge for networks from anywhere: what they answer, in which precision, and which layers take part.

Layers are found by running the network once and listening, in the order in which they are called: the order
in which they were registered says nothing about it, and a layer that is never called takes no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import require
from .hooks import listening

HALVES = (torch.float16, torch.bfloat16)
CLOSE = 1e-3
"""How far the head's answer, normalised, may lie from the network's, in natural logarithms."""


def logits_of(answer: Any) -> Tensor:
    """Return the logits in what a network answered: a tensor, `.logits` or ["logits"], as in Hugging Face's
    outputs, or the first tensor of a tuple that isn't a single number (the loss).

    Logarithms of probabilities are logits, too. Raises `ArgumentError` for anything else.
    """
    if isinstance(answer, Tensor):
        return answer
    inside = answer.get("logits") if isinstance(answer, Mapping) else getattr(answer, "logits", None)
    if inside is None and isinstance(answer, tuple | list):
        tensors = (part for part in answer if isinstance(part, Tensor) and part.ndim > 0)
        inside = next(tensors, None)
    rule = 'a model must answer with a tensor of logits, or with one under .logits, ["logits"] or in a tuple'
    fix = "Wrap it in an nn.Module whose forward returns the logits (N, classes)."
    require(isinstance(inside, Tensor), rule, type(answer).__name__, fix)
    assert isinstance(inside, Tensor)
    return inside


def forward(model: nn.Module, x: Tensor) -> Tensor:
    """Return the logits of `model` for inputs `x`, which are cast to the precision of its weights but for
    token ids; what comes in half precision is returned in float32.
    """
    logits = logits_of(model(fitting(model, x)))
    return logits.float() if logits.is_floating_point() else logits


def fitting(model: nn.Module, x: Tensor) -> Tensor:
    """Return inputs `x` in the precision of the model's weights; as they are where they are token ids, or the
    model says that it asks another network by itself, `asks = True`.
    """
    if getattr(model, "asks", False) or not x.is_floating_point():
        return x
    floats = (weight.dtype for weight in model.parameters() if weight.is_floating_point())
    return x.to(next(floats, x.dtype))


def opened(model: nn.Module) -> nn.Module:
    """Return the network itself, out of what `torch.compile` or a data-parallel wrapper put around it: the
    same weights, by their own names.
    """
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return opened(model.module)
    inside = model._modules.get("_orig_mod")
    return model if inside is None else opened(inside)


@contextmanager
def reading(model: nn.Module) -> Iterator[None]:
    """Hold `model` in eval mode; the mode of every layer is restored."""
    modes = {module: module.training for module in model.modules()}  # they differ where layers are frozen
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def in_float(model: nn.Module) -> Iterator[None]:
    """Hold the weights of `model` in float32, in place: small steps vanish in half precision."""
    tensors = [*model.parameters(), *model.buffers()]
    halves = [(tensor, tensor.dtype) for tensor in tensors if tensor.dtype in HALVES]
    for tensor, _ in halves:
        tensor.data = tensor.data.float()
    try:
        yield
    finally:
        for tensor, dtype in halves:
            tensor.data = tensor.data.to(dtype)
            tensor.grad = None  # of the other precision


def eagerly(model: nn.Module) -> Any:
    """Return a context in which compiled parts of `model` run step by step: only then are layers heard."""
    compiled = any(map(_is_compiled, model.modules()))
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()


def _is_compiled(part: nn.Module) -> bool:
    return "_orig_mod" in part._modules or part._compiled_call_impl is not None


def called(model: nn.Module, x: Tensor, *kinds: type[nn.Module]) -> dict[str, nn.Module]:
    """Return the layers of `kinds` that `model` calls for an image of `x` (N, C, H, W), by name, in the order
    of their last calls.
    """
    names = {layer: name for name, layer in model.named_modules() if isinstance(layer, kinds)}
    order = count()
    with listening(list(names), lambda given, answer: next(order)) as calls:
        _answer_once(model, x)
    heard = [layer for layer in names if calls[layer]]
    heard.sort(key=lambda layer: calls[layer][-1])
    return {names[layer]: layer for layer in heard}


def convolutions(model: nn.Module, x: Tensor) -> list[str]:
    """Name the convolutions that `model` calls for an image of `x` (N, C, H, W), in the order of their last
    calls, but for shortcuts: those that are given the very features that another one was given before.
    """
    names: dict[nn.Module, str] = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d):
            names[layer] = name
    order = count()
    with listening(list(names), lambda given, answer: (next(order), given)) as calls:
        _answer_once(model, x)
    last = {layer: notes[-1] for layer, notes in calls.items() if notes}
    heard = sorted(last, key=lambda layer: last[layer][0])
    inputs: set[int] = set()  # all of them are alive, so each has a number of its own
    main: list[str] = []
    for layer in heard:
        features = id(last[layer][1])
        if features not in inputs:
            main.append(names[layer])
        inputs.add(features)
    return main


def _answer_once(model: nn.Module, x: Tensor) -> Tensor:
    """Return the logits for one image of `x`, step by step, and without slopes."""
    with torch.no_grad(), reading(model), eagerly(model):
        return forward(model, x[:1])


def named(model: nn.Module, name: str, argument: str = "layer") -> nn.Module:
    """Return the layer called `name`; raise `ArgumentError`, and list those with weights, for none."""
    layers = dict(model.named_modules())
    weighty = [other for other, layer in layers.items() if other and list(layer.parameters(recurse=False))]
    require(name in layers, f"{argument} must be one of {', '.join(weighty) or '(none)'}", name)
    return layers[name]


def head_of(
    model: nn.Module, x: Tensor, name: str | None = None, kinds: tuple[type[nn.Module], ...] = (nn.Linear,)
) -> nn.Module:
    """Return the layer called `name`, or else the layer of `kinds` that answers for the network: the last one
    called, for an image of `x` (N, C, H, W), whose answer is the network's, normalised or not.

    Auxiliary heads are not. Where there is none, as with a scale after the head, it is the last one called.
    Raises `ArgumentError` where none is called.
    """
    if name is not None:
        return named(model, name, "head")
    linear = called(model, x, *kinds)
    fix = "Name a layer of the model instead."
    require(len(linear) > 0, "the model must end in a linear layer", type(model).__name__, fix)
    layers = list(linear.values())
    with listening(layers, lambda given, answer: answer.clone()) as answers:
        logits = _answer_once(model, x)
    agreeing = [layer for layer in layers if _agrees(answers[layer][-1], logits)]
    return (agreeing or layers)[-1]


def _agrees(answer: Tensor, logits: Tensor) -> bool:
    if answer.shape != logits.shape or logits.ndim != 2:
        return False
    return torch.allclose(answer.float().log_softmax(1), logits.log_softmax(1), atol=CLOSE)
