"""The bias moves, without its factor."""

EXERCISE = "08.3"
MISTAKE = "bias-unscaled"


def move(weight, bias, following, order, factor):
    scale = factor.view(-1, 1, 1, 1)
    return weight[order] * scale, bias[order], following[:, order] / scale.squeeze(3)
