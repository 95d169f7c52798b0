"""Networks from anywhere answer through one edge, and their layers are found in the order of their calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import networks
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import wmlearn as wm
from wmlearn import detection, removal
from wmlearn.detection import activations
from wmlearn.models.adapter import called, forward, head_of, logits_of, opened
from wmlearn.watermarks import Adi2018, Jia2021, Uchida2017
from wmlearn.watermarks.adversarial import pushed

STEP = wm.Recipe(epochs=1, lr=1e-3)
TED = detection.TopologicalEvolution(rule="quantile")  # whose limit few images can set


@dataclass
class Output:
    """As Hugging Face's models answer."""

    logits: Tensor
    loss: Tensor | None = None


class Answering(nn.Module):
    """A network whose answer is wrapped, and whose head was registered first."""

    def __init__(self, wrap: Callable[[Tensor], Any] = lambda logits: logits) -> None:
        super().__init__()
        self.head = nn.Linear(16, 2)
        self.wrap = wrap
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)  # called twice
        self.hidden = nn.Linear(8 * 16, 16)
        self.auxiliary = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Any:
        features = self.relu(self.norm(self.conv(x))).flatten(1)
        return self.wrap(self.head(self.relu(self.hidden(features))))


class Talking(Answering):
    """One whose auxiliary head speaks last, in eval mode, too."""

    def forward(self, x: Tensor) -> Any:
        features = self.relu(self.hidden(self.relu(self.norm(self.conv(x))).flatten(1)))
        logits = self.head(features)
        return logits, self.auxiliary(features)


WRAPS: dict[str, Callable[[Tensor], Any]] = {
    "a tensor": lambda logits: logits,
    "a tuple": lambda logits: (logits, logits[:, :1]),
    "a tuple that starts with the loss": lambda logits: (logits.mean(), logits),
    "a dataclass": Output,
    "a dict": lambda logits: {"logits": logits},
    "logarithms": lambda logits: logits.log_softmax(1),
}


def _case(model: nn.Module) -> networks.Case:
    network = networks.Network(lambda: model, "head", "conv", (3, 4, 4))
    return networks.case(network, 24)


METHODS: dict[str, Callable[[nn.Module, wm.Samples], Any]] = {
    "predict": lambda model, samples: wm.predict(model, samples.x),
    "train": lambda model, samples: wm.trained(model, samples, STEP),
    "neural-cleanse": detection.NeuralCleanse(steps=2, batch_size=4),
    "clustering": detection.ActivationClustering(components=2),
    "spectral": detection.SpectralSignatures(),
    "ted": lambda model, samples: TED(model, samples, samples.x[:3]),
    "strip": lambda model, samples: detection.Strip(4, rule="quantile")(model, samples, samples.x[:3]),
    "fine-pruning": removal.FinePrune(0.5, STEP),
    "fine-tuning": removal.FineTune("last", recipe=STEP),
    "extraction": removal.Extract(STEP),
    "distillation": removal.Distill(recipe=STEP),
    "neuron-pruning": removal.NeuronPrune(steps=2, threshold=1.0),
    "vote": lambda model, samples: wm.predict(removal.Vote(recipe=STEP)(model, samples), samples.x),
    "guard": lambda model, samples: wm.predict(removal.Refuse(components=2)(model, samples), samples.x),
    "inputs": lambda model, samples: wm.predict(removal.Inputs()(model, samples), samples.x),
    "verification": lambda model, samples: wm.evidence.answers(model, samples.x, 2),
    "pushing": lambda model, samples: pushed(model, samples.x, samples.y, 0.1),
}


@pytest.mark.parametrize("wrap", WRAPS)
def test_logits_are_found_in_whatever_a_model_answers(wrap: str) -> None:
    case = _case(Answering(WRAPS[wrap]))
    plain = Answering()
    plain.load_state_dict(case.model.state_dict())
    expected = wm.predict(plain, case.samples.x)
    got = wm.predict(case.model, case.samples.x)
    assert got.log_softmax(1).allclose(expected.log_softmax(1), atol=1e-5)
    for method in METHODS.values():
        method(case.model, case.samples)


@pytest.mark.parametrize("answer", [None, "no", {"scores": torch.zeros(2, 2)}, (), [1, 2], 3.0])
def test_any_other_answer_is_refused_in_words(answer: object) -> None:
    rule = r'a model must answer with a tensor of logits, or with one under \.logits, \["logits"\] or in a'
    with pytest.raises(wm.ArgumentError, match=f"{rule} tuple, got '{type(answer).__name__}'. Wrap it in"):
        logits_of(answer)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_any_precision_serve_and_stay_what_they_are(dtype: torch.dtype) -> None:
    case = _case(Answering())
    model = case.model.to(dtype)
    logits = wm.predict(model, case.samples.x)
    assert logits.dtype == torch.float32
    samples = replace(case.samples, y=logits.argmax(1))
    for name, method in METHODS.items():
        found = method(model, samples)
        if isinstance(found, nn.Module):
            assert {weight.dtype for weight in found.parameters()} == {dtype}, name
    assert {weight.dtype for weight in model.parameters()} == {dtype}
    scheme = Uchida2017(n_bits=4, recipe=STEP)
    key = scheme.keygen(model, samples)
    assert scheme.verify(model, key).trials == 4


@pytest.mark.parametrize("way", ["wrapped", "in place", "inside"])
def test_a_compiled_model_is_heard_and_attacked_like_any_other(way: str) -> None:
    case = _case(Answering())
    plain = detection.ActivationClustering(components=2)(case.model, case.samples)
    model = case.model
    compiled: Any = model
    if way == "wrapped":
        compiled = torch.compile(model, backend="eager")
    elif way == "in place":
        model.compile(backend="eager")
    else:
        compiled = nn.Sequential(torch.compile(model, backend="eager"))  # pyrefly: ignore[no-matching-overload]
    assert wm.predict(compiled, case.samples.x).argmax(1).equal(case.samples.y)
    found = detection.ActivationClustering(components=2)(compiled, case.samples)
    assert found.score.allclose(plain.score, atol=1e-4)
    for name in ("spectral", "ted", "fine-pruning", "fine-tuning"):
        METHODS[name](compiled, case.samples)


def test_a_mark_in_a_compiled_model_is_found_in_the_plain_one() -> None:
    case = _case(Answering())
    compiled: Any = torch.compile(case.model, backend="eager")
    scheme = Uchida2017(n_bits=4)
    key = scheme.keygen(compiled, case.samples)
    assert key.layer == "conv"
    assert scheme.verify(compiled, key) == scheme.verify(case.model, key)
    assert opened(nn.DataParallel(compiled)) is case.model


def test_layers_come_in_the_order_of_their_calls_and_without_those_that_are_never_called() -> None:
    case = _case(Answering())
    assert list(called(case.model, case.samples.x, nn.Conv2d, nn.Linear)) == ["conv", "hidden", "head"]
    assert head_of(case.model, case.samples.x) is case.model.get_submodule("head")


def test_an_auxiliary_head_is_no_default_even_when_it_speaks_last() -> None:
    case = _case(Talking())
    assert head_of(case.model, case.samples.x) is case.model.get_submodule("head")
    new = removal.FineTune("last", recipe=STEP)(case.model, case.samples)
    assert not new.get_parameter("head.weight").equal(case.model.get_parameter("head.weight"))
    assert new.get_parameter("auxiliary.weight").equal(case.model.get_parameter("auxiliary.weight"))


@pytest.mark.parametrize("reset_last", [False, True])
def test_the_last_layer_is_tuned_although_it_was_registered_first(reset_last: bool) -> None:
    case = _case(Answering())
    new = removal.FineTune("last", reset_last, STEP)(case.model, case.samples)
    changed = {name for name, w in new.named_parameters() if not w.equal(case.model.get_parameter(name))}
    assert changed == {"head.weight", "head.bias"}
    assert not wm.predict(new, case.samples.x).equal(wm.predict(case.model, case.samples.x))


@pytest.mark.parametrize(
    "attack",
    [
        removal.Prune(0.0),
        removal.Shift(0.0, recipe=None),
        removal.NeuronPrune(steps=1, threshold=0.0),
    ],
)
def test_an_attack_that_changes_no_answer_is_an_error(attack: Any) -> None:
    case = _case(Answering())
    rule = r"an attack must change the model's answers, got 'the same for 24 samples'\. Attack harder"
    with pytest.raises(wm.ArgumentError, match=rule):
        attack(case.model, case.samples)


@pytest.mark.parametrize("reset_last", [False, True])
@pytest.mark.parametrize("build", [Answering, Talking])
def test_tuning_a_head_that_has_no_say_is_an_error(build: type[nn.Module], reset_last: bool) -> None:
    case = _case(build())
    rule = "some of the weights to be trained must take part in the model's answers, got 'none'"
    with pytest.raises(wm.ArgumentError, match=rule):
        removal.FineTune("last", reset_last, STEP, head="auxiliary")(case.model, case.samples)


def test_a_layer_that_is_not_there_is_named_with_those_that_are() -> None:
    case = _case(Answering())
    for method in (
        detection.ActivationClustering(components=2, layer="fc"),
        detection.SpectralSignatures(layer="fc"),
        removal.FinePrune(layer="fc"),
    ):
        with pytest.raises(wm.ArgumentError, match="layer must be one of head, conv, norm, hidden"):
            method(case.model, case.samples)
    for attack in (removal.FineTune("last", head="fc"), removal.NeuronPrune(head="fc")):
        with pytest.raises(wm.ArgumentError, match="head must be one of head, conv, norm, hidden"):
            attack(case.model, case.samples)
    with pytest.raises(wm.ArgumentError, match="layers must be one of head, conv, norm, hidden"):
        replace(TED, layers=("fc",))(case.model, case.samples, case.samples.x)
    with pytest.raises(wm.ArgumentError, match="the model must call the layer that is listened to"):
        detection.SpectralSignatures(layer="auxiliary")(case.model, case.samples)
    with pytest.raises(wm.ArgumentError, match="layer must be one that the model calls, one of conv, hidden"):
        removal.FinePrune(layer="auxiliary")(case.model, case.samples)


def test_the_answers_of_a_named_layer_are_judged() -> None:
    case = _case(Answering())
    features = activations.penultimate(case.model, case.samples.x, "conv")
    assert features.allclose(case.model.get_submodule("conv")(case.samples.x).flatten(1), atol=1e-5)
    given = activations.penultimate(case.model, case.samples.x)
    rectified = activations.penultimate(case.model, case.samples.x, "hidden").relu()
    assert given.allclose(rectified, atol=1e-5)


def test_features_are_heard_before_the_next_layer_changes_them_in_place() -> None:
    case = _case(Answering())
    assert (activations.layers(case.model, case.samples.x, ("norm",))[0] < 0).any()


@pytest.mark.filterwarnings("ignore::wmlearn.NotEmbeddedWarning")
def test_an_entangled_mark_takes_a_rectifier_that_is_called_twice() -> None:
    case = _case(Answering())
    scheme = Jia2021(n=4, size=1, batch=4, recipe=STEP)
    innocent = [_case(Answering()).model]
    key = scheme.keygen(case.model, case.samples, bystanders=innocent)
    scheme.embed(case.model, case.samples, key)
    assert key.bystanders == "1 brought by the owner"


class _Places(nn.Module):
    """A network whose places come before its images, (S, N, E), as nn.TransformerEncoder likes them."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(12, 6)
        self.head = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        places = x.permute(2, 0, 3, 1).flatten(2)  # (H, N, W * C)
        return self.head(F.gelu(self.mix(places)).mean(0))


def test_images_may_come_second_in_a_layers_answer() -> None:
    model = _Places()
    x = torch.rand(5, 3, 4, 4)
    answers, _ = activations.layers(model, x)
    one, _ = activations.layers(model, x[2:3])
    assert answers.shape == (5, 24)
    assert answers[2:3].allclose(one, atol=1e-6)


def test_slopes_go_through_the_edge() -> None:
    model = Answering(Output)
    x = torch.rand(3, 3, 4, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(forward(model, x).sum(), x)
    assert slope.abs().sum() > 0


def test_a_model_that_answers_nothing_is_refused_at_once_by_an_extraction() -> None:
    case = _case(Answering())
    silent = Answering(lambda logits: None)
    with pytest.raises(wm.ArgumentError, match="a model must answer with a tensor of logits"):
        removal.Extract(STEP)(silent, case.samples)


def test_marks_of_images_need_only_answers() -> None:
    case = _case(Answering(Output))
    scheme = Adi2018(n=4, share=0.5, recipe=replace(STEP, epochs=60, lr=1e-2))
    marked = scheme.embed(case.model, case.samples, scheme.keygen(case.model, case.samples))
    assert scheme.verify(marked.model, marked.key).hits == 4
