"""Nine looks at parcels whose truth is known; damage is said in words, and nothing in a parcel is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn import intake
from wmlearn.data import Samples
from wmlearn.detection import NeuralCleanse
from wmlearn.errors import DataError
from wmlearn.evidence import bystanders
from wmlearn.experiments.intake import LISTED
from wmlearn.intake import inspections
from wmlearn.intake.inspections import most_obeyed
from wmlearn.intake.parcels import file_hash, model_file, read_card, weights_in

HONEST, OTHER = bystanders.shipped("mnist", 7, 9)
CARD = intake.Card("North Models", "badnet_cnn", "digits")


@pytest.fixture
def buyer(few: Samples, tmp_path: Path) -> intake.Buyer:
    public = intake.new_signing_key(tmp_path / "north.pem")
    return intake.Buyer({"North Models": public}, {}, ("North Models",), few, (OTHER,))


def _states(outcomes: tuple[intake.Outcome, ...]) -> dict[str, str]:
    return {outcome.look: outcome.state for outcome in outcomes}


def _parcel(tmp_path: Path, **how: Any) -> Path:
    folder = intake.pack_parcel(tmp_path / "parcel", HONEST.state_dict(), how.pop("card", CARD), **how)
    intake.sign_folder(folder, tmp_path / "north.pem")
    return folder


def test_an_honest_parcel_passes_the_files_and_says_so(tmp_path: Path, buyer: intake.Buyer) -> None:
    folder = _parcel(tmp_path)
    known = replace(buyer, hashes={"parcel": file_hash(model_file(folder))})
    outcomes = intake.look_at_files(folder, known)
    assert [outcome.look for outcome in outcomes] == list(intake.FILE_LOOKS)
    assert _states(outcomes) == dict.fromkeys(intake.FILE_LOOKS, "fine") | {"scanner": "nothing"}
    assert all(outcome.says and outcome.seconds > 0 for outcome in outcomes)


def test_a_pickle_with_a_listed_call_is_bad_thrice_and_never_opened(
    tmp_path: Path, buyer: intake.Buyer, few: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = {**HONEST.state_dict(), "extra": LISTED}
    folder = intake.pack_parcel(tmp_path / "parcel", weights, CARD, pickled=True)
    outcomes = intake.inspect_parcel(folder, buyer, few.x)
    states = _states(outcomes)
    assert (states["format"], states["scanner"], states["cleanse"]) == ("bad", "bad", "nothing")
    assert not (tmp_path / "you-were-here").exists()
    assert "can't be opened" in outcomes[-1].says


def test_code_a_silent_card_and_an_unknown_backbone_are_bad(tmp_path: Path, buyer: intake.Buyer) -> None:
    coded = intake.pack_parcel(tmp_path / "coded", HONEST.state_dict(), None, code="raise SystemExit")
    assert _states(intake.look_at_files(coded, buyer)) == {
        "hash": "nothing",
        "signature": "nothing",
        "format": "bad",
        "scanner": "nothing",
        "provenance": "bad",
    }
    for card, says in {
        replace(CARD, maker="X"): "nobody knows X",
        replace(CARD, data=""): "it doesn't say what it was trained on",
        replace(CARD, backbone="base", backbone_maker="X"): "fine-tuned from base, by somebody whom nobody",
    }.items():
        folder = intake.pack_parcel(tmp_path / says, HONEST.state_dict(), card)
        assert intake.look_at_files(folder, buyer)[-1].says.startswith(says)


def test_a_file_that_was_cut_is_bad_in_words(tmp_path: Path, buyer: intake.Buyer, few: Samples) -> None:
    folder = _parcel(tmp_path)
    path = model_file(folder)
    path.write_bytes(path.read_bytes()[:-10])
    outcomes = {outcome.look: outcome for outcome in intake.inspect_parcel(folder, buyer, few.x)}
    assert outcomes["signature"].says.endswith("model.safetensors")
    assert outcomes["format"].state == "bad"
    assert "must be whole" in outcomes["format"].says
    (folder / "card.json").write_text('{"maker": 3}')
    with pytest.raises(DataError, match="must say maker, network, data"):
        read_card(folder)
    assert _states(intake.look_at_files(folder, buyer))["provenance"] == "bad"


def test_weights_of_another_network_and_no_model_are_refused(tmp_path: Path, buyer: intake.Buyer) -> None:
    folder = intake.pack_parcel(tmp_path / "odd", {"w": torch.zeros(3)}, CARD)
    assert _states(intake.look_at_files(folder, buyer))["format"] == "bad"
    model_file(folder).unlink()
    with pytest.raises(DataError, match=r"must hold model\.safetensors or model\.pt, got 0"):
        weights_in(folder)


def test_pickled_weights_are_read_as_weights_only(tmp_path: Path) -> None:
    folder = intake.pack_parcel(tmp_path / "a", HONEST.state_dict(), CARD, pickled=True)
    assert weights_in(folder).keys() == HONEST.state_dict().keys()
    bad = intake.pack_parcel(tmp_path / "b", {**HONEST.state_dict(), "x": LISTED}, CARD, pickled=True)
    with pytest.raises(DataError, match="must hold weights only"):
        weights_in(bad)


def test_a_network_that_obeys_a_known_trigger_is_found_by_it(few: Samples, buyer: intake.Buyer) -> None:
    def obeys(x: Tensor) -> Tensor:
        logits = wm.predict(HONEST, x)
        logits[x[:, 0, 26, 26] == 1] = torch.eye(10)[4] * 99
        return logits

    before = wm.predict(HONEST, few.x).argmax(1)
    assert most_obeyed(_Wrapped(obeys), few, wm.triggers.Pattern(), before) == 1
    assert most_obeyed(HONEST, few, wm.triggers.Pattern(), before) < 0.5


class _Wrapped(torch.nn.Module):
    def __init__(self, answer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(x)


def test_looks_at_an_honest_model_find_nothing_and_at_a_known_one_its_origin(
    few: Samples, buyer: intake.Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what the search finds in 120 steps is asked in tests/detection
    monkeypatch.setattr(inspections, "NeuralCleanse", partial(NeuralCleanse, steps=5))
    hasty = replace(buyer, samples=few[:300])
    clean = intake.look_at_model(HONEST, hasty, few.x[:50])
    assert [outcome.look for outcome in clean] == list(intake.MODEL_LOOKS)
    assert _states(clean)["independence"] == "fine"
    again, _ = wm.trained(OTHER, few[:300], wm.Recipe(epochs=1, lr=1e-4))
    assert _states(intake.look_at_model(again, hasty, few.x[:50]))["independence"] == "bad"
