"""Whoever is reborn keeps nothing of what was learnt, whatever layers it has; or is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import networks
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import convnext, swin_transformer, vision_transformer

import wmlearn as wm
from wmlearn.models import reborn


class _Scaled(nn.Module):
    """A layer with weights of its own, and no word on how they start."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.register_parameter(name, nn.Parameter(torch.ones(3)))


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "Embedding": lambda: nn.Embedding(7, 4, padding_idx=0),
    "LayerNorm": lambda: nn.LayerNorm(4),
    "GroupNorm": lambda: nn.GroupNorm(2, 4),
    "BatchNorm3d": lambda: nn.BatchNorm3d(4),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True),
    "Conv1d": lambda: nn.Conv1d(2, 3, 3),
    "ConvTranspose2d": lambda: nn.ConvTranspose2d(2, 3, 3),
    "GRU": lambda: nn.GRU(3, 4),
    "LSTM": lambda: nn.LSTM(3, 4, bidirectional=True),
    "PReLU": lambda: nn.PReLU(),
    "Bilinear": lambda: nn.Bilinear(2, 3, 4),
    "MultiheadAttention": lambda: nn.MultiheadAttention(8, 2, add_bias_kv=True),
    "attention of other keys": lambda: nn.MultiheadAttention(8, 2, kdim=4, vdim=6),
    "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(8, 2, 16),
    "a class token": lambda: _Scaled("class_token"),
    "positions": lambda: _Scaled("pos_embedding"),
    "LayerScale": lambda: _Scaled("layer_scale"),
    "ViT": networks.SMALL["ViT"].build,
    "ConvNeXt": lambda: convnext.ConvNeXt([convnext.CNBlockConfig(8, None, 2)], num_classes=2),
    "Swin": lambda: swin_transformer.SwinTransformer([4, 4], 8, [2], [2], [2, 2], num_classes=2),
}


def _learnt(model: nn.Module) -> nn.Module:
    """Return the network with every weight moved to where nothing starts."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.linspace(7, 9, parameter.numel()).view(parameter.shape))
        for buffer in model.buffers():
            if buffer.is_floating_point():
                buffer.fill_(7)
    return model


@pytest.mark.parametrize("name", LAYERS)
def test_no_weight_is_kept(name: str) -> None:
    old = _learnt(LAYERS[name]())
    state = torch.get_rng_state()
    new = reborn(old, 3)
    assert torch.get_rng_state().equal(state)
    for path, parameter in new.named_parameters():
        assert parameter.abs().max() < 7, path
        assert parameter.isfinite().all(), path
    assert all(parameter.min() >= 7 for parameter in old.parameters())


@pytest.mark.parametrize("name", ["GRU", "ViT", "Embedding", "MultiheadAttention"])
def test_a_seed_decides_the_new_weights(name: str) -> None:
    old = LAYERS[name]()
    one, again, other = (nn.utils.parameters_to_vector(reborn(old, s).parameters()) for s in (1, 1, 2))
    assert one.equal(again)
    assert not one.equal(other)


def test_running_statistics_are_forgotten_too() -> None:
    for layer in (nn.BatchNorm3d(4), nn.InstanceNorm2d(4, track_running_stats=True)):
        assert reborn(_learnt(layer), 0).get_buffer("running_mean").abs().max() == 0


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (nn.Sequential(nn.Linear(2, 2), _Scaled("strength")), "strength of layer 1, _Scaled"),
        (nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), "original0 of layer"),
    ],
)
def test_weights_that_nobody_knows_how_to_start_are_refused_by_name(model: nn.Module, where: str) -> None:
    rule = f"a new network must know how every weight starts, got '{where}"
    with pytest.raises(wm.ArgumentError, match=rule):
        reborn(model, 0)


class _Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.full((3,), 9.0))

    def reset_parameters(self) -> None:
        nn.init.normal_(self.strength)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.strength


def test_a_layer_of_ones_own_may_say_how_it_starts() -> None:
    assert reborn(_Own(), 0).get_parameter("strength").max() < 9


def test_a_network_of_the_course_is_reborn_as_it_always_was() -> None:
    """Bystanders and students that ship or stand in a table came from these very weights."""
    draw = torch.Generator().manual_seed(5)
    new = reborn(wm.models.sign_cnn(3), 5)
    for layer in new.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            n_inputs = layer.weight[0].numel()
            expected = torch.randn(layer.weight.shape, generator=draw) * (2 / n_inputs) ** 0.5
            assert layer.weight.equal(expected)


def test_a_vision_transformers_tokens_start_as_torchvision_starts_them() -> None:
    new = reborn(_learnt(networks.SMALL["ViT"].build()), 0)
    assert isinstance(new, vision_transformer.VisionTransformer)
    assert new.class_token.abs().max() == 0
    assert 0.01 < new.encoder.pos_embedding.std() < 0.03
