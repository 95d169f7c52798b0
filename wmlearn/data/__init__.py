"""Data sets as tensors: `load` one by its name, `split` what you loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, overload

from ..errors import require
from . import mails as mails
from . import signs as signs
from . import tables as tables
from . import tales as tales
from .archives import Arrays as Arrays
from .archives import read_arrays as read_arrays
from .augment import Erase as Erase
from .augment import Jitter as Jitter
from .augment import Tint as Tint
from .cifar import load_cifar10
from .digits import load_fashion_mnist, load_mnist
from .folders import Pictures as Pictures
from .folders import read_folder as read_folder
from .gtsrb import load_gtsrb
from .mails import load_mails
from .photographs import Photographs as Photographs
from .photographs import read_photographs as read_photographs
from .recordings import read_wav as read_wav
from .samples import Samples as Samples
from .samples import Splits as Splits
from .samples import check_inputs as check_inputs
from .samples import check_labels as check_labels
from .samples import kind_of as kind_of
from .samples import one_each as one_each
from .samples import regroup as regroup
from .samples import require_images as require_images
from .samples import require_numbers as require_numbers
from .samples import split as split
from .spoken import load_machine_digits, load_spoken_digits
from .tables import Scale as Scale
from .tables import Table as Table
from .tables import read_table as read_table
from .tables import table_of as table_of
from .vocabulary import Vocabulary as Vocabulary
from .vocabulary import tokens as tokens

LOADERS: Mapping[str, Callable[[Path | None, bool], Splits | signs.StreetSplits]] = {
    "mnist": load_mnist,
    "fashion-mnist": load_fashion_mnist,
    "cifar10": load_cifar10,
    "gtsrb": load_gtsrb,
    "mails": load_mails,
    "signs-us": lambda root, download: signs.load_signs("us"),
    "signs-se": lambda root, download: signs.load_signs("se"),
    "signs-de": lambda root, download: signs.load_signs("de"),
    "street-us": lambda root, download: signs.load_street(),
    "machine-digits": load_machine_digits,
    "spoken-digits": load_spoken_digits,
    "breast-cancer": lambda root, download: tables.load_table("breast-cancer"),
    "digit-table": lambda root, download: tables.load_table("digit-table"),
}
SHIPPED = ("mnist", "machine-digits", "mails")
"""The data sets whose files ship with the course."""
DRAWN = [name for name in LOADERS if name.startswith(("signs", "street"))]
"""The data sets that are drawn when they are loaded, so that there is nothing to fetch."""


@overload
def load(
    name: Literal["street-us"], *, root: Path | str | None = None, download: bool = True
) -> signs.StreetSplits: ...
@overload
def load(name: str, *, root: Path | str | None = None, download: bool = True) -> Splits: ...
def load(name: str, *, root: Path | str | None = None, download: bool = True) -> Splits | signs.StreetSplits:
    """Load a data set as tensors in memory.

    "mnist", "machine-digits" and "mails" ship with the course, signs and streets are drawn, tables lie inside
    scikit-learn, the others are fetched once. `root` names a folder of your own that holds the files; with
    `download=False` nothing is fetched. Raises `ArgumentError` for an unknown name or a folder without the
    files, `DataError` for a damaged file.

    >>> wm.load("mnist").test
    Samples(10,000 images (1, 28, 28), 10 classes)
    """
    require(name in LOADERS, f"the data set must be one of {', '.join(LOADERS)}", name)
    return LOADERS[name](None if root is None else Path(root), download)
