"""What all tests share: MNIST, a small part of it, one thread, and a home of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

import wmlearn as wm

collect_ignore = ["mutants"]  # learners' answers: data of test_exercises.py


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before, threads = os.environ.get("WMLEARN_HOME"), torch.get_num_threads()
    os.environ["WMLEARN_HOME"] = str(tmp_path_factory.mktemp("home"))
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    os.environ.pop("WMLEARN_HOME")
    if before is not None:
        os.environ["WMLEARN_HOME"] = before


@pytest.fixture(scope="session")
def mnist() -> wm.Splits:
    return wm.load("mnist")


@pytest.fixture(scope="session")
def few(mnist: wm.Splits) -> wm.Samples:
    return mnist.train[:2000]
