"""CIFAR-10: small colour photographs of ten things, which torchvision fetches.

A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009, section 3.
"""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import ArgumentError, require_torchvision
from . import files
from .samples import Samples, Splits

INNER = "cifar-10-batches-py"  # the folder that torchvision looks for


def load_cifar10(root: Path | None, download: bool) -> Splits:
    """Load 60,000 photographs (3, 32, 32) from `root` as torchvision lays them out, or from a cache folder.

    The files are pickled; torchvision opens them only where their checksums are right.
    """
    if root is not None:
        return Splits(_part(root, True), _part(root, False))
    folder = files.fetch("cifar10", "CIFAR-10", _download, download=download)
    return Splits(_part(folder, True), _part(folder, False))


def _download(temporary: Path) -> Path:
    require_torchvision("Fetching CIFAR-10")
    from torchvision.datasets import CIFAR10

    whole = temporary / "whole"
    CIFAR10(whole, download=True)
    (whole / "cifar-10-python.tar.gz").unlink()  # keep the unpacked files only
    return whole


def _part(folder: Path, train: bool) -> Samples:
    require_torchvision("CIFAR-10")
    from torchvision.datasets import CIFAR10

    try:
        data = CIFAR10(folder, train=train)
    except RuntimeError as error:  # not there, or with other checksums
        rule = f"{folder} must hold CIFAR-10 as torchvision lays it out, in {INNER}"
        raise ArgumentError(f"{rule}, got: {str(error).splitlines()[0]} Fetch it again.") from error
    x = torch.from_numpy(data.data).permute(0, 3, 1, 2).float().div_(255)  # (N, 3, 32, 32)
    return Samples(x.contiguous(), torch.tensor(data.targets), tuple(data.classes))
