"""The contract of every watermark in `watermarks.ALL`."""

from __future__ import annotations

import copy
import stat
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.evidence import against_decoys, bystanders
from wmlearn.watermarks.marking import TAKEN

SCHEMES = list(wm.watermarks.ALL)
RANDOM = ("adi2018", "adi2018-pretrained", "uchida2017", "szyller2021-dawn", "kim2023-margin")
SLOW = ("lemerrer2019", "chen2019-blackmarks")
"""Half a second a key."""


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    """Return a trained network that never saw a mark, and doesn't set the null of a key either."""
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


@pytest.fixture(scope="module")
def keys(clean: nn.Module, few: wm.Samples) -> dict[str, Any]:
    return {name: scheme.keygen(clean, few, seed=3) for name, scheme in wm.watermarks.ALL.items()}


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and all(
        torch.equal(x, y) if isinstance(x, Tensor) else x == y
        for x, y in ((getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    )


@pytest.mark.parametrize("name", SCHEMES)
def test_a_key_follows_from_its_secret(
    name: str, clean: nn.Module, few: wm.Samples, keys: dict[str, Any]
) -> None:
    scheme = wm.watermarks.ALL[name]
    secret = b"a secret of mine, 32 bytes long.."
    assert _same(scheme.keygen(clean, few, seed=3), keys[name])
    assert _same(scheme.keygen(clean, few, secret=secret), scheme.keygen(clean, few, seed=9, secret=secret))
    assert not _same(scheme.keygen(clean, few, seed=4), keys[name])


@pytest.mark.parametrize("name", SCHEMES)
def test_a_key_never_shows_its_secret(name: str, keys: dict[str, Any]) -> None:
    assert str(keys[name].secret) not in repr(keys[name])
    assert keys[name].secret.hex() not in repr(keys[name])
    assert len(repr(keys[name])) < 300


@pytest.mark.parametrize("name", SCHEMES)
def test_a_key_comes_back_from_disk_and_only_its_owner_can_read_it(
    name: str, keys: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "key.safetensors"
    wm.watermarks.save_key(keys[name], path)
    assert _same(wm.watermarks.load_key(path), keys[name])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", SCHEMES)
def test_embedding_leaves_the_model_alone_and_says_when_the_mark_did_not_take(
    name: str, clean: nn.Module, few: wm.Samples, keys: dict[str, Any], recwarn: pytest.WarningsRecorder
) -> None:
    scheme: Any = wm.watermarks.ALL[name]
    hasty = scheme
    if "recipe" in {field.name for field in fields(scheme)}:  # it trains: one epoch will do
        hasty = replace(scheme, recipe=replace(scheme.recipe, epochs=1))
    before = copy.deepcopy(clean.state_dict())
    marked = hasty.embed(clean, few, keys[name])
    assert all(torch.equal(value, before[key]) for key, value in clean.state_dict().items())
    assert wm.accuracy(marked.model, few) > 0.5
    taken = scheme.verify(marked.model, keys[name]).rate >= TAKEN
    warned = any(issubclass(warning.category, wm.NotEmbeddedWarning) for warning in recwarn)
    assert taken is not warned


@pytest.mark.parametrize("name", SCHEMES)
def test_a_key_has_a_chance_only_where_its_labels_were_drawn_at_random(
    name: str, clean: nn.Module, keys: dict[str, Any]
) -> None:
    claim = wm.watermarks.ALL[name].verify(clean, keys[name])
    assert (claim.null == "binomial") is (name in RANDOM)


@pytest.mark.parametrize("name", RANDOM)
def test_no_more_models_without_the_mark_are_accused_than_the_level_promises(
    name: str, keys: dict[str, Any]
) -> None:
    claims = [
        wm.watermarks.ALL[name].verify(stranger, keys[name])
        for stranger in bystanders.shipped("mnist", 8, 28)
    ]
    assert sum(claim.p_value <= 0.01 for claim in claims) <= 1


@pytest.mark.parametrize("name", SCHEMES)
def test_a_stranger_is_not_accused_by_decoys(
    name: str, clean: nn.Module, few: wm.Samples, keys: dict[str, Any]
) -> None:
    n = 5 if name in SLOW else 99
    scheme = wm.watermarks.ALL[name]
    (stranger,) = bystanders.shipped("mnist", 9, 10)
    rank = against_decoys(scheme, stranger, keys[name], model=clean, samples=few, n=n).rank
    assert rank is not None
    assert rank.as_high > 0, "some other key does as well"
