"""Theft through an API: nobody trains on what another owns, and what the rows say."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from wmlearn.experiments import api_theft
from wmlearn.experiments.api_theft import API_THEFT, BUDGETS, N_OWNERS
from wmlearn.training import Recipe
from wmlearn.watermarks.dawn import Service


def _known(x: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in x.cpu()}


def test_no_owner_trains_on_anothers_digits_nor_on_what_is_asked() -> None:
    owned = [_known(api_theft.owners_digits(i).x) for i in range(N_OWNERS)]
    parts = [*owned, _known(api_theft.unseen().x)]
    assert len(set.union(*parts)) == 60_000
    asked = _known(api_theft.pool(2).x)
    assert len(asked) == 50_000
    assert not asked & owned[2]


@pytest.mark.parametrize("kind", api_theft.QUERIES)
def test_more_queries_begin_with_fewer(kind: str) -> None:
    some, more = (api_theft.queries_of(kind, 1, n).x for n in (20, 50))
    assert some.shape == (20, 1, 28, 28)
    assert 0 <= float(more.min()) <= float(more.max()) <= 1
    assert kind == "signs" or torch.equal(some, more[:20])


def test_a_thief_takes_500_steps_or_six_epochs() -> None:
    assert [api_theft.thiefs_recipe(n).epochs for n in BUDGETS] == [80, 62, 32, 6, 6]
    assert api_theft.thiefs_recipe(100).batch_size == 16


class _Ink(torch.nn.Module):
    """Reads an image by the ink in its lower half."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        label = (x[:, 0, 14:].sum((1, 2)).long() % 10).to(torch.int64)
        return torch.nn.functional.one_hot(label, 10).float()


def test_the_majority_of_three_answers_is_nearly_always_honest() -> None:
    x = api_theft.pool(0).x[:2000]
    model = _Ink()
    honest = model(x).argmax(1)
    service = Service(model, b"sixteen bytes of it", 0.02)
    lies = int((service(x).argmax(1) != honest).sum())
    left = int((api_theft.majority(service, x) != honest).sum())
    assert lies >= 20
    assert left <= lies / 4


def test_clients_ask_what_their_kind_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_theft, "pool", cache(api_theft.pool))  # 50,000 digits, seventeen times
    kinds = (*api_theft.HONEST, *api_theft.STRANGE)
    (twice,) = api_theft._clients("sends each twice", 0, 1)
    assert torch.equal(twice[::2], twice[1::2])
    for kind in kinds:
        (queries,) = api_theft._clients(kind, 0, 1)
        (again,) = api_theft._clients(kind, 0, 1)
        assert queries.shape == (api_theft.CLIENT, 1, 28, 28)
        assert torch.equal(queries, again)


def test_every_cell_is_another_and_all_have_the_same_fields() -> None:
    assert {tuple(cell) for cell in API_THEFT.cells} == {("part", "subject", "answers", "owner")}
    assert len({str(sorted(cell.items())) for cell in API_THEFT.cells}) == len(API_THEFT.cells)
    assert {cell["owner"] for cell in API_THEFT.cells} == set(range(N_OWNERS))


@pytest.mark.slow
def test_an_inversion_measured_again_is_what_ships() -> None:
    from wmlearn.experiments import shipped

    (shipped_row,) = shipped("api-theft").where(part="inversion", owner=1)
    again = api_theft._measure({"part": "inversion", "owner": 1}, Recipe())
    own = [row["own_first"] for row in shipped_row["rows"]]
    assert sum(a == b for a, b in zip(own, [row["own_first"] for row in again["rows"]], strict=True)) >= 16
