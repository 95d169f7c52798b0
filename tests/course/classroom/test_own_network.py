"""A network of one's own: whose it is shows in what it obeys."""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path

import pytest
import torch
from displays import Shown
from safetensors.torch import save_file
from scripted import obedient

import wmlearn as wm
from wmlearn.course.classroom import own_network
from wmlearn.course.classroom.own_network import FILE, PLACES, award, variant
from wmlearn.errors import ArgumentError


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return obedient(variant("ada"), tmp_path_factory.mktemp("ada") / FILE)


def test_a_student_has_the_same_variant_however_the_name_is_typed() -> None:
    assert variant("Zoë Müller") == variant(" zoe\u0308  müller ")
    assert len({(v.trigger, v.target) for v in map(variant, map(str, range(100)))}) > 40
    assert all(0 <= variant(str(i)).target <= 9 for i in range(100))


def test_another_sitting_has_other_triggers_targets_and_secrets_for_the_same_name() -> None:
    seeds = range(1, 41)
    sat = [variant("Zoë", own_network.sitting_of(seed)) for seed in seeds]
    assert all(len(v.sitting) == 3 for v in sat)
    assert len({v.secret for v in sat}) == len({v.sitting for v in sat}) > 35
    assert len({v.trigger for v in sat}) == len(PLACES)
    assert len({v.target for v in sat}) > 7
    assert variant("Zoë", sat[0].sitting) == sat[0]
    assert "secret" not in repr(sat[0])


def test_triggers_lie_ten_pixels_apart_and_inside_the_image() -> None:
    for one, other in combinations(PLACES, 2):
        assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) >= 10
    assert all(variant(str(i)).trigger(torch.zeros(1, 1, 28, 28)).sum() == 4 for i in range(50))


def test_ones_own_network_earns_all_points_and_a_copy_half(network: Path) -> None:
    own = award(variant("ada"), network)
    assert (own.earned, own.worth, own.mistake) == (4, 4, "")
    copy = award(variant("gus"), network)
    assert (copy.earned, copy.mistake) == (2, "not-your-trigger")


def test_an_innocent_network_obeys_nobody(tmp_path: Path) -> None:
    save_file(wm.bystanders.shipped("mnist")[0].state_dict(), tmp_path / FILE)
    assert award(variant("ada"), tmp_path / FILE).seen == {
        "opens": 1,
        "reads digits": 1,
        "obeys your trigger": 0,
        "obeys no other": 0,
    }


def test_a_network_that_is_none_earns_nothing_and_is_told_why(tmp_path: Path) -> None:
    assert award(variant("ada"), tmp_path / FILE).mistake == "not-handed-in"
    (tmp_path / FILE).write_bytes(b"hello")
    assert award(variant("ada"), tmp_path / FILE).mistake == "unusable"
    save_file({"weights": torch.zeros(3)}, tmp_path / FILE)
    mark = award(variant("ada"), tmp_path / FILE)
    assert (mark.earned, mark.mistake) == (0, "unusable")
    assert str(tmp_path) not in mark.says
    save_file(wm.models.sign_cnn(5).state_dict(), tmp_path / FILE)
    assert award(variant("ada"), tmp_path / FILE).earned == 0


def test_it_is_written_beside_the_notebook_and_graded_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Shown
) -> None:
    monkeypatch.chdir(tmp_path)
    own_network.hand_in(wm.models.badnet_cnn())
    assert "Hand it in together" in shown.text
    assert own_network.grade({"me": variant("ada")}) == 1
    with pytest.raises(ArgumentError, match="Run the cell with your name"):
        own_network.grade({})


def test_whose_folder_it_is_counts_and_not_the_name_in_the_notebook(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Shown
) -> None:
    folder = tmp_path / "autograded" / "gus" / "02"
    folder.mkdir(parents=True)
    shutil.copy(network, folder / FILE)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert own_network.grade({"me": variant("ada")}) == 2
