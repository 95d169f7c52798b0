"""The one exception family a learner meets: what must hold, what was got, and how to mend it."""

from __future__ import annotations

from importlib import import_module


class WmlearnError(Exception):
    """Everything this package raises on purpose, so that a notebook can catch it in one word.

    >>> try:
    ...     wm.load("imagenet")
    ... except wm.WmlearnError as error:
    ...     print(str(error)[:24])
    the data set must be one
    """


class ArgumentError(WmlearnError, ValueError):
    """An argument is outside its domain.

    >>> wm.Recipe(epochs=0)
    Traceback (most recent call last):
    wmlearn.errors.ArgumentError: epochs must be at least 1, got 0.
    """


class DataError(WmlearnError):
    """A file is missing, damaged, or cannot be written.

    >>> wm.data.read_folder("nowhere")
    Traceback (most recent call last):
    wmlearn.errors.DataError: nowhere must be a folder of pictures, got nothing. Check the name.
    """


class OverlapWarning(UserWarning):
    """Images of the attacker are in the test set: what is measured there flatters the attack.

    >>> import warnings
    >>> warnings.simplefilter("error", wm.OverlapWarning)  # stop instead
    """


class NothingStampedWarning(UserWarning):
    """A trigger left every image as it was: what is poisoned by it is label noise, and no backdoor.

    >>> import warnings
    >>> warnings.simplefilter("error", wm.NothingStampedWarning)  # stop instead
    """


class ClockWarning(UserWarning):
    """A clock is behind the book: new entries bear the time of the last one, and their order holds."""


class NotEmbeddedWarning(UserWarning):
    """A mark was embedded and its own verification doesn't find it: the model carries no proof.

    >>> import warnings
    >>> warnings.simplefilter("error", wm.NotEmbeddedWarning)  # stop instead of going on without a mark
    """


class MemoryWarning(UserWarning):
    """A remembered network could not be read or kept; it was trained instead, and nothing is lost."""


class SecretWarning(UserWarning):
    """Others than its owner may read a file that holds a secret."""


class SetAsideWarning(UserWarning):
    """A damaged file was renamed; what it held is measured again, or begun anew."""


NOT_EMPTY = "samples must not be empty", 0, "Look at what you selected them by."
"""Rule, value and remedy of the commonest mistake, for `require(len(samples) > 0, *NOT_EMPTY)`."""


def require(ok: bool, what: str, got: object, fix: str = "") -> None:
    """Raise `ArgumentError` unless `ok`."""
    if not ok:
        remedy = f" {fix}" if fix else ""
        raise ArgumentError(f"{what}, got {got!r}.{remedy}")


def require_torchvision(what: str) -> None:
    """Raise `DataError` unless torchvision can be imported, which `what` needs, and most lessons don't."""
    try:
        import_module("torchvision")
    except ModuleNotFoundError as error:
        fix = 'Run pip install "wmlearn[signs]".'
        raise DataError(f"{what} needs {error.name}, which is not installed. {fix}") from error
    except (ImportError, OSError, RuntimeError) as error:  # it was built for another PyTorch
        fix = "Install both from the same index."
        rule = f"{what} needs a torchvision that fits PyTorch"
        raise DataError(f"{rule}, got: {str(error).splitlines()[0]}. {fix}") from error


def require_sklearn(what: str) -> None:
    """Raise `DataError` unless scikit-learn can be imported, which `what` needs, and most lessons don't."""
    try:
        import_module("sklearn")
    except ImportError as error:
        fix = 'Run pip install "wmlearn[tables]".'
        raise DataError(f"{what} needs scikit-learn, which is not installed. {fix}") from error
