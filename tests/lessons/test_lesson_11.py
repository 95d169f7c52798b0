"""Notebook 11: what is built in it equals the package's; an API that dies, and goes on; the challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn import privacy, suspects
from wmlearn.course.lessons import exercises_11, lesson_11
from wmlearn.data import Samples
from wmlearn.evidence import bystanders
from wmlearn.experiments import api_theft, shipped
from wmlearn.removal.extraction import ExtractionError, extract
from wmlearn.watermarks.dawn import Service

SECRET = b"sixteen bytes of Ana's"
(NETWORK,) = bystanders.shipped("mnist", 5, 6)


def test_the_hash_built_in_the_lesson_is_the_packages(few: Samples) -> None:
    honest = wm.predict(NETWORK, few.x).argmax(1)
    said = Service(NETWORK, SECRET, 0.3)(few.x).argmax(1)
    pairs = zip(few.x, honest.tolist(), strict=True)
    built = [exercises_11.answer(SECRET, image, y, 10, 0.3) for image, y in pairs]
    assert built == said.tolist()
    assert 0 < int((said != honest).sum()) < len(few)


def test_those_caught_are_the_packages() -> None:
    draw = torch.Generator().manual_seed(4)
    members, strangers = (torch.rand(n, generator=draw).round(decimals=2) for n in (80, 120))
    for alarms in (0.01, 0.1, 0.5):
        found = exercises_11.caught(members, strangers, alarms)
        assert found == pytest.approx(privacy.caught(members, strangers, alarms))


def test_answers_are_gathered_from_a_service_up_to_its_limit(few: Samples) -> None:
    names: dict[str, Any] = {"lesson_11": lesson_11, "torch": torch}
    exec(ASKING, names)
    limits = suspects.Limits(per_minute=3)
    with suspects.running(suspects.service(NETWORK, limits=limits)) as url:
        ask = names["asking"](url)
        labels = exercises_11.gather(ask, few.x[:50], 10, 2)
    assert labels[:30].tolist() == wm.predict(NETWORK, few.x[:30]).argmax(1).tolist()
    assert labels[30:].tolist() == [-1] * 20


def _cell() -> str:
    """Return the words of the master that ask a service."""
    master = Path(__file__).resolve().parents[2] / "notebooks" / "source" / "11_theft_through_an_api.py"
    text = master.read_text(encoding="utf-8")
    body = "def asking(url):" + text.split("def asking(url):")[1].split("with suspects.running")[0]
    return f"import json\nfrom contextlib import closing\nfrom http.client import HTTPConnection\n{body}"


ASKING = _cell()


def test_an_api_that_dies_in_the_middle_is_gone_on_with(few: Samples, tmp_path: Path) -> None:
    kept = tmp_path / "labels.safetensors"
    recipe = wm.Recipe(epochs=1, batch_size=50)
    asked: list[int] = []

    def dying(x: Tensor) -> Tensor:
        if len(asked) == 2:
            raise ConnectionError("gone")
        asked.append(len(x))
        return wm.predict(NETWORK, x)

    blank = wm.models.badnet_cnn(11)
    with pytest.raises(ExtractionError) as stopped:
        extract(dying, blank, few.x[:60], few.classes, batch=20, retries=0, kept=kept, recipe=recipe)
    assert len(stopped.value.labels) == 40
    seen: list[int] = []

    def alive(x: Tensor) -> Tensor:
        seen.append(len(x))
        return wm.predict(NETWORK, x)

    extract(alive, blank, few.x[:60], few.classes, batch=20, kept=kept, recipe=recipe)
    assert seen == [20]  # what was gathered isn't asked for again


def test_an_api_of_other_classes_is_refused_in_words(few: Samples) -> None:
    def of_more(x: Tensor) -> Tensor:
        return torch.full((len(x),), 17)

    with pytest.raises(wm.errors.WmlearnError, match="label"):
        extract(of_more, wm.models.badnet_cnn(11), few.x[:20], few.classes, retries=0)


def test_the_challenge_counts_images_and_wants_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_theft, "victim", lambda i: NETWORK)  # whose answers are counted is all one
    score = lesson_11.thrifty(lambda ask, x, blank: (ask(x[:30]), ask(x[30:50]), blank)[2])
    assert not score.valid
    assert score.value == 50
    assert "It takes 96%." in score.says


def test_the_dial_shows_each_kind() -> None:
    box = lesson_11.theft_dial(shipped("api-theft"))
    kind, budget, limit = box.children[:3]
    words = box.children[-1]
    kind.value = ("noise", "labels")
    budget.value = 50_000
    limit.value = 100
    assert "noise, labels, 50,000 queries" in words.value
    assert "500 days; with ten accounts 50" in words.value


@pytest.mark.slow
def test_the_courses_own_thief_is_as_thrifty_as_it_says() -> None:
    score = lesson_11.thrifty(_thrifty)
    assert score.valid, score.says
    assert score.value == lesson_11.CHALLENGE.ours


def _thrifty(ask: lesson_11.Ask, x: Tensor, blank: torch.nn.Module) -> torch.nn.Module:
    """Ask about 100 digits at random, and three times 50 of those of which the copy is least sure."""
    draw = torch.Generator().manual_seed(0)
    mine = torch.randperm(len(x), generator=draw)[:100]
    labels = ask(x[mine])
    for _ in range(3):
        best = wm.predict(_taught(blank, x[mine], labels, 300), x[:6000]).softmax(1).topk(2, 1).values
        margin = best[:, 0] - best[:, 1]
        margin[mine[mine < 6000]] = 9
        unsure = margin.argsort()[:200]
        new = unsure[torch.randperm(200, generator=draw)[:50]]
        labels = torch.cat([labels, ask(x[new])])
        mine = torch.cat([mine, new])
    return _taught(blank, x[mine], labels, 1500)


def _taught(blank: torch.nn.Module, x: Tensor, labels: Tensor, steps: int) -> torch.nn.Module:
    samples = Samples(x, labels, tuple("0123456789"))
    recipe = wm.Recipe(epochs=steps * 32 // len(x), lr=5e-3, batch_size=32)
    return wm.trained(blank, samples, recipe, augment=_shifted)[0]


def _shifted(samples: Samples, epoch: int) -> Samples:
    """Shift each image by up to two pixels, otherwise in every epoch."""
    draw = torch.Generator().manual_seed(epoch)
    padded = torch.nn.functional.pad(samples.x, (2, 2, 2, 2))
    down, right = torch.randint(0, 5, (2, len(samples)), generator=draw)
    rows = (down[:, None] + torch.arange(28))[:, None, :, None]
    columns = (right[:, None] + torch.arange(28))[:, None, None, :]
    each = torch.arange(len(samples))[:, None, None, None]
    return Samples(padded[each, torch.zeros_like(each), rows, columns], samples.y, samples.classes)


def test_the_lies_of_the_live_service_are_counted() -> None:
    x = api_theft.pool(0).x[:300]
    honest = wm.predict(NETWORK, x).argmax(1)
    said = honest.clone()
    said[:9] = (said[:9] + 1) % 10
    found = lesson_11.marked(x, honest, said, NETWORK, NETWORK)
    assert (found.told, found.repeated, found.innocent) == (9, 0, 0)
    assert found.p_value == 1
