"""A classifier of scikit-learn as a network without weights, and a regressor as a function of rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import DataError, require, require_sklearn

LEAST = 1e-9
"""The probability of a class that the model holds for impossible, or has never seen: its logarithm is
finite.
"""


class Fitted(nn.Module):
    """A fitted classifier as a network whose answer is the logarithm of `predict_proba`.

    All verbs that only ask take it as they take a network: `predict`, `accuracy`, `success_rate`, `verify`,
    and an extraction into a network of another kind. There is nothing to train on: it has no weights. The
    classifier was fitted to rows (N, F) with labels 0..`classes` - 1; classes that it never saw get a column,
    too. Raises `ArgumentError` for a model that isn't fitted, gives no probabilities, knows other labels, or
    comes from another version of scikit-learn.

    >>> from sklearn.linear_model import LogisticRegression
    >>> table = wm.load("breast-cancer")
    >>> model = LogisticRegression(max_iter=1000).fit(table.train.x.numpy(), table.train.y.numpy())
    >>> wm.predict(wm.models.Fitted(model, 2), table.test.x[:5]).shape
    torch.Size([5, 2])
    """

    columns: Tensor  # (K,) int64: the class of each column of predict_proba

    def __init__(self, model: Any, classes: int) -> None:
        super().__init__()
        require_sklearn("A fitted model")
        require(classes >= 2, "classes must be at least 2", classes)
        kind = type(model).__name__
        fix = "Take one with predict_proba; an SVC has it with probability=True."
        require(callable(getattr(model, "predict_proba", None)), "a model must give probabilities", kind, fix)
        known = getattr(model, "classes_", None)
        require(known is not None, "a model must be fitted", kind, "Call fit(x, y) first.")
        numbers = _whole(known)
        inside = all(0 <= number < classes for number in numbers)
        fix = "Fit it to samples.y, whose labels are counted from 0."
        require(inside, f"the model's labels must lie in 0..{classes - 1}", str(known)[:60], fix)
        self.model = model
        self.classes = classes
        self.fitted_by = version("scikit-learn")
        self.register_buffer("columns", torch.tensor(numbers), persistent=False)
        self(torch.full((1, int(model.n_features_in_)), 0.5))  # what is broken says so now

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithms of probabilities (N, classes) for rows `x` (N, F)."""
        rows = x.flatten(1).detach().cpu().numpy()
        wanted = int(self.model.n_features_in_)
        require(rows.shape[1] == wanted, f"this model reads rows of {wanted} columns", rows.shape[1])
        try:
            found = torch.from_numpy(self.model.predict_proba(rows)).to(x.device, torch.float32)
        except AttributeError as error:  # a part that another version of scikit-learn keeps elsewhere
            rule = "a model must come from the scikit-learn that is installed"
            fix = f"Fit it again with {version('scikit-learn')}."
            require(False, rule, str(error), fix)
            raise
        every = torch.full((len(rows), self.classes), LEAST, device=x.device)
        every[:, self.columns] = found.clamp(min=LEAST)
        return every.log()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open a copy; raise `ArgumentError` for one that another version of scikit-learn made."""
        _check_version(state["fitted_by"])
        super().__setstate__(state)


def save_fitted(model: Fitted, path: Path | str) -> None:
    """Write a fitted classifier as a file of skops: its numbers and the names of its parts, and no code."""
    _skops().dump(model.model, Path(path))


TREE = "sklearn.tree._tree.Tree"


def read_fitted(path: Path | str, classes: int, *, mine: bool = False) -> Fitted:
    """Open a fitted classifier in a file of skops; opening it runs no code.

    A tree is numbered by its file, and scikit-learn doesn't check the numbers: a hostile one can crash
    Python. So a forest is opened only where `mine=True` says that it is your own; ask a stranger's where it
    runs, through a service. Raises `ArgumentError` for a model of another version of scikit-learn,
    `DataError` for a file that holds none, or parts that nobody vouches for.
    """
    require_sklearn("A fitted model")
    path = Path(path)
    require(path.is_file(), "a fitted model must be a file", str(path))
    io = _skops()
    from sklearn.exceptions import InconsistentVersionWarning  # pyrefly: ignore[missing-module-attribute]
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with warnings.catch_warnings(record=True) as notes:
            model = io.load(path, trusted=[TREE] if mine else [])
    except InconsistentVersionWarning as error:  # where warnings are errors
        _check_version(error.original_sklearn_version)
        raise
    except UntrustedTypesFoundException as error:
        parts = ", ".join(io.get_untrusted_types(file=path))
        fix = "If the file is your own, say mine=True." if parts == TREE else "Don't open it."
        raise DataError(f"{path.name} must hold known parts only, got: {parts}. {fix}") from error
    except Exception as error:  # of a stranger's file, whatever is wrong with it
        rule = f"{path.name} must hold a fitted model as save_fitted writes it"
        raise DataError(f"{rule}, got: {type(error).__name__}: {str(error)[:200]}") from error
    for note in notes:
        if isinstance(note.message, InconsistentVersionWarning):
            _check_version(note.message.original_sklearn_version)
    return Fitted(model, classes)


def _skops() -> Any:
    """Return what reads and writes files of fitted models; raise `DataError` where it isn't installed."""
    try:
        from skops import io
    except ImportError as error:
        fix = 'Run pip install "wmlearn[tables]".'
        raise DataError(f"A file of a fitted model needs skops, which is not installed. {fix}") from error
    return io


def _check_version(found: str) -> None:
    present = version("scikit-learn")
    fix = f"Install scikit-learn {found}, or fit the model again: its parts may mean something else by now."
    require(
        found == present, f"a model must come from scikit-learn {present}, which is installed", found, fix
    )


def _whole(labels: Any) -> list[int]:
    try:
        return [int(label) for label in labels if int(label) == label]
    except (TypeError, ValueError):
        return [-1]


def answering(regressor: Any) -> Callable[[Tensor], Tensor]:
    """Return a fitted regressor as a function from rows (N, F) to numbers (N,) float32."""
    fix = "Call fit(x, y) first."
    require(hasattr(regressor, "n_features_in_"), "a model must be fitted", type(regressor).__name__, fix)

    def answer(x: Tensor) -> Tensor:
        return torch.from_numpy(regressor.predict(x.cpu().numpy())).float().flatten().to(x.device)

    return answer
