"""Seeds from roles: other roles, other networks; and two traps of small seeds that they end."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

import wmlearn as wm
from wmlearn.evidence import bystanders
from wmlearn.models import badnet_cnn, reborn, seed_of


def test_a_seed_follows_from_its_role_alone() -> None:
    torch.manual_seed(1)
    one = seed_of("student", 3)
    torch.manual_seed(2)
    assert seed_of("student", 3) == one
    roles = [("student", 3), ("student", 4), ("student", "3"), ("student3",), ("teacher", 3), (3, "student")]
    assert len({seed_of(*role) for role in roles}) == len(roles)
    assert all(0 <= seed_of("role", i) < 2**63 for i in range(200))


def test_a_network_stands_for_its_weights() -> None:
    network = badnet_cnn(1)
    other = copy.deepcopy(network)
    assert seed_of("student", network) == seed_of("student", other)
    with torch.no_grad():
        other.get_parameter("10.bias")[0] += 1e-3
    assert seed_of("student", network) != seed_of("student", other)
    assert seed_of("student", badnet_cnn(1)) != seed_of("student", badnet_cnn(2))


def test_no_role_is_refused() -> None:
    with pytest.raises(wm.ArgumentError, match=r"role must name something, got \(\)\. Say who"):
        seed_of()


def _first_filters(network: torch.nn.Module) -> torch.Tensor:
    return F.normalize(network.get_parameter("1.weight").detach().flatten(1), dim=1)


def test_one_number_for_two_initialisers_opposes_their_first_filters_and_a_role_does_not() -> None:
    opposed = [
        (_first_filters(badnet_cnn(s)) * _first_filters(reborn(badnet_cnn(99), s))).sum() for s in (0, 1, 2)
    ]
    assert max(opposed) < -4  # the trap: sixteen cosines, of which each should scatter around 0
    apart = [
        (_first_filters(badnet_cnn(s)) * _first_filters(reborn(badnet_cnn(99), seed_of("student", s)))).sum()
        for s in (0, 1, 2)
    ]
    assert min(apart) > -3


def test_a_bystander_trained_here_starts_as_no_student_does(few: wm.Samples) -> None:
    """A thief's student was `reborn` from 0 where nobody thought of it: bystander 0 is no relative of it."""
    y = (few.y[:200] + torch.arange(200)) % 10  # no digits: no shipped network serves
    model = badnet_cnn(7)
    frozen = wm.Recipe(epochs=1, lr=1e-9, batch_size=200)
    (own,) = bystanders.for_task(model, wm.Samples(few.x[:200], y, few.classes), frozen, 1)
    student = reborn(model, 0)
    cosines = F.cosine_similarity(
        own.get_parameter("8.weight").detach(), student.get_parameter("8.weight").detach()
    )
    assert abs(float(cosines.mean())) < 0.02
