"""Each class and function of the public page shows an example, and the example is true."""

from __future__ import annotations

import doctest
import inspect
import types
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import wmlearn as wm

LESSONS = "wmlearn.course"
"""Its verbs write boxes into a notebook: ten notebooks show them."""


def _public() -> Iterator[tuple[str, Any]]:
    for name in dir(wm):
        thing = getattr(wm, name)
        is_ours = inspect.isclass(thing) or inspect.isfunction(thing)
        if name[0] != "_" and is_ours and not thing.__module__.startswith(LESSONS):
            yield name, thing


PUBLIC = dict(_public())


@pytest.mark.parametrize("name", PUBLIC)
def test_an_example_gives_what_it_shows(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert ">>> " in text
    test = doctest.DocTestParser().get_doctest(text, {"wm": wm, "torch": torch}, name, None, None)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        torch.manual_seed(0)
        runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


def test_all_that_can_carry_an_example_is_looked_at() -> None:
    others = {name for name in dir(wm) if name[0] != "_"} - PUBLIC.keys()
    aliases = {"Augment", "Penalty", "Target", "Trigger"}
    lessons = {name for name in others if getattr(getattr(wm, name), "__module__", "").startswith(LESSONS)}
    modules = {name for name in others if isinstance(getattr(wm, name), types.ModuleType)}
    assert others == aliases | lessons | modules
