"""What all tests share: MNIST, a small part of it, real photographs of signs, one thread, and a home of their
own.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import wmlearn as wm

PHOTOGRAPHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "gtsrb-32px.tar.xz"
UNPACKED = Path.home() / ".cache" / "wmlearn" / "test-gtsrb"

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


@pytest.fixture(scope="session")
def photographs() -> wm.Splits:
    """Load the real photographs (GTSRB, the final training set, all scaled to 32 x 32); skip where they are
    neither unpacked nor packed.
    """
    if not UNPACKED.is_dir():
        if not PHOTOGRAPHS.is_file():
            pytest.skip(f"the real photographs are not here: neither {UNPACKED} nor {PHOTOGRAPHS}")
        UNPACKED.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=UNPACKED.parent, prefix=".test-gtsrb.") as temporary:
            with tarfile.open(PHOTOGRAPHS) as archive:
                archive.extractall(Path(temporary) / "whole", filter="data")
            try:
                (Path(temporary) / "whole").replace(UNPACKED)
            except OSError:
                assert UNPACKED.is_dir()  # another run was faster
    return wm.load("gtsrb", root=UNPACKED)
