"""All detectors on one network: what is missing is said, what refuses doesn't stop the others."""

from __future__ import annotations

import html.parser
import json

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import detection
from wmlearn.detection import examine, findings

QUICK = {
    "cleanse": detection.NeuralCleanse(steps=3),
    "clustering": detection.ActivationClustering(components=2),
    "spectral": detection.SpectralSignatures(),
    "strip": detection.Strip(overlays=2),
    "ted": detection.TopologicalEvolution(),
}


@pytest.fixture(scope="module")
def samples() -> wm.Samples:
    """Two classes that one number tells apart."""
    y = torch.arange(80) % 2
    x = torch.rand(80, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 0.3 + y.view(-1, 1, 1, 1) * 0.6
    return wm.Samples(x, y, ("dark <b>", "light"))


@pytest.fixture(scope="module")
def model() -> nn.Module:
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    parts = dict(model.named_parameters())
    with torch.no_grad():
        for layer in (0, 3):
            parts[f"{layer}.weight"].fill_(1 / 16)
            parts[f"{layer}.bias"].zero_()
        parts["3.weight"][0] *= -1
        parts["3.bias"][0] = 0.23
    return model


def test_with_everything_at_hand_every_detector_runs_beside_its_control(
    model: nn.Module, samples: wm.Samples
) -> None:
    names = [f"{i}.png" for i in range(80)]
    result = examine(
        model, samples, training=samples, queries=samples.x[:30], training_names=names, detectors=QUICK
    )
    assert result.accuracy > 0.9
    assert [(finding.detector, finding.state) for finding in result.findings] == [(n, "ran") for n in QUICK]
    strip = result.findings[3]
    assert "of 30 queries" in strip.found
    assert "of 78 clean images flagged" in strip.control
    # half of 78 images can't promise 1 %
    assert strip.level == "false alarms on 2.5% of clean images are promised"
    assert strip.numbers["promised"] == 1 / 40
    by_class = strip.numbers["by class"]
    assert list(by_class) == ["dark <b>", "light"]
    assert sum(rate["n"] for rate in by_class.values()) == strip.numbers["measured"]["n"] == 78
    clustering = result.findings[1]
    assert clustering.level == (
        "a part of a class that clean images lack; false alarms in 1.0% of clean classes are promised"
    )
    assert clustering.numbers["measured"] == {"flagged": 0, "n": 2}
    assert all(name in names for name in result.findings[2].numbers["flagged"])
    assert json.loads(findings.to_json(result))["findings"][3]["numbers"]["share"] == strip.numbers["share"]
    assert result.notes == ()


def test_enough_clean_images_promise_what_the_detectors_ask_for(
    model: nn.Module, samples: wm.Samples
) -> None:
    many = samples + samples + samples + samples + samples  # 400 images
    result = examine(model, many, queries=samples.x[:30], detectors=QUICK)
    for finding in result.findings[3:]:
        assert finding.numbers["promised"] == 0.01
        assert finding.level == "false alarms on 1.0% of clean images are promised"


def test_what_is_missing_is_said_and_not_guessed(model: nn.Module, samples: wm.Samples) -> None:
    result = examine(model, samples, detectors=QUICK)
    assert [finding.state for finding in result.findings] == ["ran", *["not run"] * 4]
    assert "not run" in findings.to_text(result)
    assert "no training set was given" in findings.to_html(result)


def test_a_model_that_only_answers_gets_a_refusal_from_each_detector_and_its_accuracy(
    samples: wm.Samples,
) -> None:
    result = examine(lambda x: (x.mean((1, 2, 3)) > 0.45).long(), samples, queries=samples.x, detectors=QUICK)
    assert result.accuracy > 0.9
    assert {finding.state for finding in result.findings} == {"refused"}
    assert "needs probabilities" in result.findings[3].found


def test_a_detector_that_refuses_or_a_network_that_fails_does_not_stop_the_others(
    model: nn.Module, samples: wm.Samples
) -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = model

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.requires_grad or torch.is_grad_enabled():
                raise RuntimeError("no gradients here")
            return self.inside(x)

    few = samples[:24]
    result = examine(Fragile(), few, training=few, queries=few.x, detectors=QUICK)
    states = {finding.detector: finding for finding in result.findings}
    assert states["cleanse"].found == "the network failed: RuntimeError: no gradients here"
    assert states["strip"].found.startswith("refused: there must be at least 40 clean images")
    assert states["spectral"].state == "ran"


def test_a_network_that_flattens_by_view_runs_as_it_is(samples: wm.Samples) -> None:
    class Viewed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(1, 4, 3, padding=1)
            self.head = nn.Linear(64, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.convolution(x).view(len(x), -1))

    before = Viewed()
    [cleanse] = examine(before, samples, detectors={"cleanse": QUICK["cleanse"]}).findings
    assert cleanse.state == "ran", cleanse.found
    assert before.convolution.weight.is_contiguous(), "the network itself is left alone"


def test_a_network_that_does_not_know_the_images_is_noted(samples: wm.Samples) -> None:
    torch.manual_seed(0)
    blind = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))
    nn.init.zeros_(blind.get_parameter("3.weight"))
    [note] = examine(blind, samples, detectors={}).notes
    assert "Are the folders in the order of its classes?" in note


def test_images_without_one_of_the_classes_are_refused(model: nn.Module, samples: wm.Samples) -> None:
    with pytest.raises(wm.ArgumentError, match="clean images of every class, got 'none of light'"):
        examine(model, samples[samples.y == 0], detectors=QUICK)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "'><svg/onload=x>", "\u202eadA", "\x1b[2J"])
def test_a_hostile_name_is_only_text(name: str, model: nn.Module, samples: wm.Samples) -> None:
    hostile = wm.Samples(samples.x, samples.y, (name, name + "!"))
    result = examine(
        model, hostile, training=hostile, training_names=[name] * 80, detectors={name: QUICK["spectral"]}
    )
    page = findings.to_html(result, [name])
    tags: list[str] = []
    reader = html.parser.HTMLParser()
    reader.handle_starttag = lambda tag, attrs: tags.append(tag)
    reader.feed(page)
    assert set(tags) <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "table", "tr", "th",
        "td", "b", "br",
    }  # fmt: skip
    for text in (page, findings.to_text(result)):
        assert not {"\x1b", "\u202e"} & set(text)
