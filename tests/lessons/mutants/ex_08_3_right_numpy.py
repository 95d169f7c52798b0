"""In NumPy, back to arrays."""

EXERCISE = "08.3"


def move(weight, bias, following, order, factor):
    weight, bias, following, factor = (t.detach().cpu().numpy() for t in (weight, bias, following, factor))
    order = order.cpu().numpy()
    scale = factor.reshape(-1, 1, 1, 1)
    return weight[order] * scale, bias[order] * factor, following[:, order] / scale.swapaxes(0, 1)
