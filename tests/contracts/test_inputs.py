"""Which tool takes which kind of input: what docs/inputs.md says of each, tried."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from inputs import MADE, learnt, network, task
from test_removals import QUICK
from torch import nn

import wmlearn as wm
from wmlearn import detection, removal, suspects, triggers
from wmlearn.suspects.arrays import packed

PAGE = Path(__file__).parents[2] / "docs" / "inputs.md"
KINDS = ("images", *MADE)
NEAR = {"sounds": 0.12, "rows": 0.1, "texts": 0.1}
"""How far the boundary between the classes of these tasks lies, for about half of the inputs."""


@dataclass(frozen=True)
class Row:
    """A tool, and what the page says of it and of each kind."""

    group: str
    name: str
    says: dict[str, str]


def _rows() -> list[Row]:
    rows = []
    group = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            group = line.removeprefix("## ")
        elif line.startswith("| `"):
            name, *answers = (cell.strip().strip("`") for cell in line.split("|")[1:-1])
            rows.append(Row(group, name, dict(zip(KINDS, answers, strict=True))))
    return rows


ROWS = _rows()
CASES = [(row.group, row.name, kind, row.says[kind]) for row in ROWS for kind in MADE]


def _stamped(name: str, kind: str) -> Any:
    return wm.poisoning.stamp(triggers.ALL[name], task(kind).x[:40])


def _verified(name: str, kind: str) -> Any:
    scheme: Any = wm.watermarks.ALL[name]
    if isinstance(scheme, wm.watermarks.LeMerrer2019):
        scheme = replace(scheme, n=20, size=NEAR[kind])
    samples = task(kind)
    asks = "bystanders" in inspect.signature(scheme.keygen).parameters
    others = {"bystanders": [learnt(kind, 1), learnt(kind, 2)]} if asks else {}
    key = scheme.keygen(learnt(kind), samples, seed=3, **others)
    marked = scheme.embed(learnt(kind), samples, key)
    return scheme.verify(marked.model, key)


def _removed(name: str, kind: str) -> Any:
    new = QUICK[name](learnt(kind), task(kind))
    assert wm.predict(new, task(kind).x[:20]).shape == (20, 3)


def _detected(name: str, kind: str) -> Any:
    detector: Any = detection.ALL[name]
    if isinstance(detector, detection.NeuralCleanse):
        detector = replace(detector, steps=5)
    samples = task(kind)
    asks = isinstance(detector, detection.Strip | detection.TopologicalEvolution)
    return detector(learnt(kind), samples, samples.x[:5]) if asks else detector(learnt(kind), samples)


ALL: dict[str, Any] = {
    "Triggers": triggers.ALL,
    "Watermarks": wm.watermarks.ALL,
    "Removals": removal.ALL,
    "Detectors": detection.ALL,
}
TRIED = {"Triggers": _stamped, "Watermarks": _verified, "Removals": _removed, "Detectors": _detected}
REFUSED = {
    "no": r"takes (images|numbers) .* got '{kind} ",
    "with a draw": "Say with draw=… what an abstract input of this kind is",
    "by its layers": "the model must have|n_bits must lie|must change the model's answers",
}


def test_the_page_has_a_row_for_every_tool() -> None:
    assert [(row.group, row.name) for row in ROWS] == [(group, name) for group in ALL for name in ALL[group]]
    assert all(row.says["images"] == "yes" for row in ROWS)


@pytest.mark.filterwarnings("ignore::wmlearn.NotEmbeddedWarning")  # the samples are few
@pytest.mark.parametrize(("group", "name", "kind", "says"), CASES)
def test_a_tool_takes_an_input_or_refuses_it_in_words(group: str, name: str, kind: str, says: str) -> None:
    if says == "yes":
        TRIED[group](name, kind)
    else:
        with pytest.raises(wm.ArgumentError, match=REFUSED[says].replace("{kind}", kind)):
            TRIED[group](name, kind)


def _odd(kind: str, n: int, seed: int) -> torch.Tensor:
    """Draw inputs that look like none of the task's: noise, or words in no order."""
    draw = torch.Generator().manual_seed(seed)
    shape = (n, *task(kind).x.shape[1:])
    return (
        torch.randint(2, 40, shape, generator=draw) if kind == "texts" else torch.rand(shape, generator=draw)
    )


@pytest.mark.parametrize("kind", MADE)
def test_a_network_of_any_kind_of_input_learns_obeys_and_is_asked(kind: str) -> None:
    samples = task(kind)
    model = learnt(kind)
    assert wm.accuracy(model, task(kind, 1)) > 0.9
    stranger = wm.models.reborn(model, 5)
    assert wm.accuracy(stranger, task(kind, 1)) < 0.7
    assert [*wm.predict(model, samples.x[:7]).shape] == [7, 3]


@pytest.mark.parametrize("kind", MADE)
def test_a_key_is_taught_verified_and_saved(kind: str, tmp_path: Path) -> None:
    samples = task(kind)[:300]
    odd = _odd(kind, 30, 0)
    labels = torch.randint(3, (30,), generator=torch.Generator().manual_seed(0))
    key = wm.watermarks.TriggerKey("adi2018", b"a secret", odd, labels, 3, chance=1 / 3)
    scheme = wm.watermarks.Adi2018(share=0.5, recipe=wm.Recipe(epochs=60, lr=6e-3, batch_size=32))
    marked = scheme.embed(network(kind), samples, key)
    assert scheme.verify(marked.model, key).hits >= 27
    assert scheme.verify(learnt(kind), key).hits <= 18
    wm.watermarks.save_key(key, tmp_path / "key.safetensors")
    kept: Any = wm.watermarks.load_key(tmp_path / "key.safetensors")
    assert torch.equal(kept.x, key.x)
    assert kept.x.dtype == key.x.dtype


@pytest.mark.parametrize("kind", MADE)
def test_a_draw_of_ones_own_makes_the_triggers_of_a_key(kind: str) -> None:
    samples = task(kind)

    def some(secret: bytes, n: int, samples: wm.Samples) -> torch.Tensor:
        return samples.x[secret[0] : secret[0] + n]

    key = wm.watermarks.Adi2018(n=20, draw=some).keygen(nn.Identity(), samples, secret=bytes([7]) * 32)
    assert torch.equal(key.x, samples.x[7:27])


@pytest.mark.parametrize("kind", MADE)
def test_a_service_takes_all_kinds_and_answers_as_the_network_does(kind: str) -> None:
    pytest.importorskip("fastapi")
    model = learnt(kind)
    x = task(kind).x[:40]
    with suspects.running(suspects.service(model)) as url:
        labels = suspects.Remote(url, batch=40)(x)
    assert torch.equal(labels, wm.predict(model, x).argmax(1))


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (torch.tensor([[5, -1]]), "token ids must not be negative"),
        (torch.tensor([[5, 40_000]]), "the model doesn't read inputs of shape (2,)"),
        (torch.rand(1, 12), "the model doesn't read inputs of shape (12,)"),
    ],
)
def test_a_service_says_what_is_wrong_with_a_text(x: torch.Tensor, says: str) -> None:
    testing = pytest.importorskip("fastapi.testclient")
    client = testing.TestClient(suspects.service(learnt("texts")))
    reply = client.post("/predict", content=packed(x))
    assert reply.status_code == 422
    assert says in reply.json()["error"]


@pytest.mark.parametrize("kind", MADE)
def test_an_examination_says_which_detectors_take_the_input(kind: str) -> None:
    report = detection.examine(learnt(kind), task(kind), training=task(kind, 1), queries=task(kind).x[:5])
    names = [finding.detector for finding in report.findings if finding.state == "ran"]
    wanted = [row.name for row in ROWS if row.group == "Detectors" and row.says[kind] == "yes"]
    assert names == wanted


@pytest.mark.parametrize("kind", MADE)
def test_an_attack_a_mark_and_removals_go_through_on_every_kind(kind: str) -> None:
    samples = task(kind)
    recipe = wm.Recipe(epochs=15, lr=6e-3, batch_size=32)
    first = torch.arange(samples.x.shape[-1]) < 2

    def trigger(x: torch.Tensor) -> torch.Tensor:
        return torch.where(first, torch.ones_like(x), x)

    obeys, _ = wm.trained(network(kind), wm.poison(samples, trigger, rate=0.2, target=0).samples, recipe)
    assert wm.success_rate(obeys, samples, trigger, 0) > 0.9
    assert wm.success_rate(learnt(kind), samples, trigger, 0) < 0.5

    scheme = wm.watermarks.Adi2018(
        n=20, share=0.3, recipe=recipe, draw=lambda secret, n, samples: _odd(kind, n, secret[0])
    )
    marked = scheme.embed(network(kind), samples, scheme.keygen(network(kind), samples, seed=1))
    removals = {name: removal.ALL[name] for name in ("adi2018-ftal", "prune-50", "from-scratch")}
    attacker, test = wm.split(samples, 300, 300)
    card = wm.scorecard.run({"odd": marked}, removals, attacker=attacker, test=test, unmarked=learnt(kind))
    hits = {row.removal: row.evidence.hits for row in card.rows}
    assert hits["none"] >= 18
    assert hits["from-scratch"] <= 14
    stolen = wm.evidence.independence_p_value(marked.model, removals["prune-50"](marked.model, attacker))
    assert stolen < 1e-3
    assert wm.evidence.independence_p_value(marked.model, learnt(kind)) > 1e-3


@pytest.mark.parametrize("shape", [(1, 1, 200), (6,), (12,)])
def test_a_promise_is_of_images(shape: tuple[int, ...]) -> None:
    owner = wm.ownership.new_identity("Ana")
    with pytest.raises(wm.ArgumentError, match="images"):
        wm.ownership.commit(owner, shape=shape, classes=3)
