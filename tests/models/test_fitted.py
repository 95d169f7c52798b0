"""A classifier of scikit-learn as a network without weights: what takes it, and what refuses it."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Perceptron
from torch import nn

import wmlearn as wm
from wmlearn.models import Fitted, answering, read_fitted, save_fitted
from wmlearn.removal import Extract, FineTune
from wmlearn.removal.extraction import extract


@pytest.fixture(scope="module")
def table() -> wm.Splits:
    return wm.load("breast-cancer")


@pytest.fixture(scope="module")
def forest(table: wm.Splits) -> Any:
    x = table.train.x.numpy()
    return RandomForestClassifier(20, random_state=0).fit(x, table.train.y.numpy())


def _network(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))


def test_it_answers_as_the_classifier_does_ties_included(table: wm.Splits, forest: Any) -> None:
    model = Fitted(forest, 2)
    x = table.test.x
    assert wm.predict(model, x).argmax(1).tolist() == forest.predict(x.numpy()).tolist()
    found = wm.predict(model, x).exp()
    assert torch.allclose(found, torch.from_numpy(forest.predict_proba(x.numpy())).float(), atol=1e-6)
    assert wm.predict(model, x).isfinite().all()
    assert wm.accuracy(model, table.test) == pytest.approx(forest.score(x.numpy(), table.test.y.numpy()))


def test_classes_that_it_never_saw_have_a_column_and_are_never_named(table: wm.Splits) -> None:
    y = np.where(table.train.y.numpy() == 1, 4, 2)
    model = Fitted(LogisticRegression(max_iter=500).fit(table.train.x.numpy(), y), 6)
    logits = wm.predict(model, table.test.x)
    assert logits.shape == (169, 6)
    assert set(logits.argmax(1).tolist()) == {2, 4}
    assert float(logits[:, [0, 1, 3, 5]].exp().max()) < 1e-8


def test_a_mark_is_taught_verified_and_a_trigger_measured(table: wm.Splits) -> None:
    scheme = wm.watermarks.Adi2018(n=100, share=0.75, draw=wm.watermarks.rows)
    key = scheme.keygen(_network(0), table.train)
    both = wm.watermarks.trigger_set.lesson(table.train, key, 0.75)
    marked = Fitted(RandomForestClassifier(50, random_state=1).fit(both.x.numpy(), both.y.numpy()), 2)
    assert scheme.verify(marked, key).hits == 100
    trigger = wm.triggers.Columns.at(table.train, {2: 0.98, 5: 0.02})
    assert 0 <= wm.success_rate(marked, table.test, trigger, 1) < 0.2


def test_what_trains_weights_refuses_it_in_words(table: wm.Splits, forest: Any) -> None:
    model = Fitted(forest, 2)
    with pytest.raises(wm.ArgumentError, match=r"must have weights to train, got 'Fitted'.*extract it into"):
        FineTune()(model, table.train)
    with pytest.raises(wm.ArgumentError, match=r"without weights can't be built anew.*Name a student"):
        Extract()(model, table.train)
    scheme = wm.watermarks.Adi2018(n=20, draw=wm.watermarks.rows)
    with pytest.raises(wm.ArgumentError, match="must have weights to train"):
        scheme.embed(model, table.train, scheme.keygen(model, table.train))


def test_it_is_extracted_into_a_network_that_is_named(table: wm.Splits, forest: Any) -> None:
    recipe = wm.Recipe(epochs=40, lr=1e-2, batch_size=32)
    copied = Extract(recipe, student=_network)(Fitted(forest, 2), table.train)
    assert wm.accuracy(copied, table.test) > 0.85
    other = extract(Fitted(forest, 2), _network(0), table.train.x, table.train.classes, recipe=recipe)
    assert torch.equal(wm.predict(other, table.test.x), wm.predict(copied, table.test.x))


@pytest.mark.parametrize(
    ("model", "classes", "says"),
    [
        (RandomForestClassifier(), 2, "must be fitted, got 'RandomForestClassifier'"),
        (Perceptron(), 2, "must give probabilities, got 'Perceptron'"),
        (object(), 2, "must give probabilities, got 'object'"),
        (RandomForestClassifier(2).fit([[0.0], [1.0]], [0, 5]), 3, "labels must lie in 0..2"),
        (RandomForestClassifier(2).fit([[0.0], [1.0]], ["no", "yes"]), 2, "labels must lie in 0..1"),
        (RandomForestClassifier(2).fit([[0.0], [1.0]], [0, 1]), 1, "classes must be at least 2"),
    ],
)
def test_other_models_are_refused_in_words(model: Any, classes: int, says: str) -> None:
    with pytest.raises(wm.ArgumentError, match=says):
        Fitted(model, classes)


def test_rows_of_another_width_are_refused_in_words(forest: Any) -> None:
    with pytest.raises(wm.ArgumentError, match="reads rows of 30 columns, got 4"):
        wm.predict(Fitted(forest, 2), torch.rand(3, 4))


def test_a_forest_of_another_version_is_refused_by_its_file(
    tmp_path: Path, forest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "forest.skops"
    save_fitted(Fitted(forest, 2), path)
    x = torch.rand(20, 30)
    assert torch.equal(read_fitted(path, 2, mine=True)(x), Fitted(forest, 2)(x))
    monkeypatch.setattr("sklearn.base.__version__", "1.2.3")  # which writes its number into the file
    save_fitted(Fitted(forest, 2), path)
    monkeypatch.undo()
    with pytest.raises(wm.ArgumentError, match=r"which is installed, got '1\.2\.3'.*or fit the model again"):
        read_fitted(path, 2, mine=True)


def test_a_copy_by_another_version_is_refused(forest: Any) -> None:
    model = Fitted(forest, 2)
    assert torch.equal(copy.deepcopy(model)(torch.rand(1, 30) * 0 + 0.5), model(torch.full((1, 30), 0.5)))
    model.fitted_by = "0.24.0"
    with pytest.raises(wm.ArgumentError, match=r"got '0\.24\.0'"):
        pickle.loads(pickle.dumps(model))


def test_a_forest_that_lacks_a_part_is_refused_in_words(forest: Any) -> None:
    broken = copy.deepcopy(forest)
    del broken.estimators_[0].tree_
    with pytest.raises(wm.ArgumentError, match="must come from the scikit-learn that is installed"):
        Fitted(broken, 2)


class Trap:
    """Makes a file where it is unpickled."""

    def __reduce__(self) -> Any:
        return open, ("trapped", "w")


def test_a_strangers_forest_is_not_opened_and_no_file_runs_code(
    tmp_path: Path, forest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_fitted(Fitted(forest, 2), "forest.skops")
    with pytest.raises(wm.DataError, match=r"_tree\.Tree\. If the file is your own, say mine=True"):
        read_fitted("forest.skops", 2)
    Path("trap.skops").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(wm.DataError, match=r"trap\.skops must hold a fitted model"):
        read_fitted("trap.skops", 2, mine=True)
    assert not Path("trapped").exists()
    with pytest.raises(wm.ArgumentError, match="must be a file"):
        read_fitted(tmp_path, 2, mine=True)


def test_a_linear_model_is_numbers_and_opens_for_anybody(tmp_path: Path, table: wm.Splits) -> None:
    fitted = LogisticRegression(max_iter=500).fit(table.train.x.numpy(), table.train.y.numpy())
    save_fitted(Fitted(fitted, 2), tmp_path / "line.skops")
    opened = read_fitted(tmp_path / "line.skops", 2)
    assert torch.equal(opened(table.test.x), Fitted(fitted, 2)(table.test.x))


def test_without_scikit_learn_it_says_what_to_install(forest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(wm.DataError, match="A fitted model needs scikit-learn"):
        Fitted(forest, 2)


def test_a_regressor_answers_with_numbers(table: wm.Splits) -> None:
    fitted = RandomForestRegressor(5, random_state=0).fit(table.train.x.numpy(), table.train.x[:, 0].numpy())
    assert answering(fitted)(table.test.x).shape == (169,)
    with pytest.raises(wm.ArgumentError, match="must be fitted"):
        answering(RandomForestRegressor())
