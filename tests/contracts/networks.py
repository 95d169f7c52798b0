"""Networks that were built elsewhere, small ones and torchvision's own: the rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
import torchvision.models as zoo
from torch import Tensor, nn
from torchvision.models import densenet, efficientnet, mobilenetv2, resnet, vgg, vision_transformer

import wmlearn as wm

CLASSES = ("no", "yes")


@dataclass(frozen=True)
class Network:
    """How to build a network, for two classes, and the layers that its authors would point at."""

    build: Callable[[], nn.Module]
    head: str
    last_convolution: str
    shape: tuple[int, int, int] = (3, 32, 32)


class Example(nn.Module):
    """The MNIST example of PyTorch, line by line: github.com/pytorch/examples, mnist/main.py."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        x = F.relu(x)
        x = self.conv2(x)
        x = F.relu(x)
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = self.fc1(x)
        x = F.relu(x)
        x = self.dropout2(x)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def _small_vgg() -> nn.Module:
    """VGG's own class and layers, thin, with a head that doesn't take a minute."""
    network = vgg.VGG(vgg.make_layers([8, "M", 16, "M", 16, "M"]), num_classes=2, init_weights=False)
    network.classifier = nn.Sequential(nn.Linear(16 * 49, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, 2))
    return network


def _small_mobilenet() -> nn.Module:
    """MobileNetV2's own class and blocks, four of its seventeen, thin."""
    blocks = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 1, 2]]  # expansion, channels, how many, stride
    return mobilenetv2.MobileNetV2(num_classes=2, width_mult=0.25, inverted_residual_setting=blocks)


def _small_efficientnet() -> nn.Module:
    blocks = [
        efficientnet.MBConvConfig(1, 3, 1, 32, 16, 1, width_mult=0.5),
        efficientnet.MBConvConfig(6, 3, 2, 16, 24, 1, width_mult=0.5),
    ]
    return efficientnet.EfficientNet(blocks, dropout=0.2, num_classes=2, last_channel=256)


def _small_vit() -> nn.Module:
    return vision_transformer.VisionTransformer(
        image_size=32,
        patch_size=16,
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        mlp_dim=64,
        num_classes=2,
    )


def _googlenet() -> nn.Module:
    return zoo.googlenet(weights=None, num_classes=2, init_weights=False)


SMALL = {
    "ResNet": Network(
        lambda: resnet.ResNet(resnet.BasicBlock, [1, 1, 1, 1], num_classes=2), "fc", "layer4.0.conv2"
    ),
    "DenseNet": Network(
        lambda: densenet.DenseNet(8, (2, 2, 2, 2), 16, num_classes=2),
        "classifier",
        "features.denseblock4.denselayer2.conv2",
    ),
    "MobileNet": Network(_small_mobilenet, "classifier.1", "features.5.0"),
    "EfficientNet": Network(_small_efficientnet, "classifier.1", "features.3.0"),
    "VGG": Network(_small_vgg, "classifier.3", "features.6"),
    "GoogLeNet": Network(_googlenet, "fc", "inception5b.branch4.1.conv"),
    "ViT": Network(_small_vit, "heads.head", "conv_proj"),
    "PyTorch's MNIST example": Network(partial(Example, 2), "fc2", "conv2", (1, 28, 28)),
}
WHOLE = {
    "ResNet-18": Network(partial(zoo.resnet18, num_classes=2), "fc", "layer4.1.conv2"),
    "DenseNet-121": Network(
        partial(zoo.densenet121, num_classes=2), "classifier", "features.denseblock4.denselayer16.conv2"
    ),
    "MobileNetV2": Network(partial(zoo.mobilenet_v2, num_classes=2), "classifier.1", "features.18.0"),
    "EfficientNet-B0": Network(partial(zoo.efficientnet_b0, num_classes=2), "classifier.1", "features.8.0"),
    "VGG-11": Network(partial(zoo.vgg11, num_classes=2), "classifier.6", "features.18"),
    "GoogLeNet": SMALL["GoogLeNet"],
    "ViT-B/16": Network(partial(zoo.vit_b_16, image_size=32, num_classes=2), "heads.head", "conv_proj"),
}


@dataclass(frozen=True, eq=False)
class Case:
    """A network with random weights, and images of two classes, all of which it classifies correctly."""

    network: Network
    model: nn.Module
    samples: wm.Samples


def case(network: Network, n: int = 12) -> Case:
    """Build a network, and label `n` random images as it does, half of them with either class."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = network.build().eval()
        x = torch.rand(n, *network.shape) * torch.linspace(0.2, 1, n).view(n, 1, 1, 1)
        head = model.get_submodule(network.head)
        assert isinstance(head, nn.Linear)
        nn.init.normal_(head.weight)  # some start at 0
    _settle(model, x)
    margin = wm.predict(model, x).diff(dim=1).squeeze(1)  # (n,)
    with torch.no_grad():
        head.weight *= 5 / margin.std()  # images of noise look alike: far apart, an attack shows
    margin = wm.predict(model, x).diff(dim=1).squeeze(1)
    with torch.no_grad():
        head.bias[1] -= margin.median() + 1e-3
    y = wm.predict(model, x).argmax(1)
    return Case(network, model, wm.Samples(x, y, CLASSES))


def _settle(model: nn.Module, x: Tensor) -> None:
    """Let the normalisations measure what the images look like, as training would."""
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # a plain average
        norm.train()
    with torch.no_grad():
        model(x)
    for norm in norms:
        norm.momentum = 0.1
        norm.eval()
