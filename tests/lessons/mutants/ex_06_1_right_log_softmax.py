"""Cross-entropy by hand, and the gradient asked for by hand."""

import torch

EXERCISE = "06.1"


def search_step(network, x, target, raw, price, optimiser):
    pattern, mask = 1 / (1 + torch.exp(-raw))
    p = network((1 - mask) * x + mask * pattern).log_softmax(1)
    loss = -p[:, target].mean() + price * mask.sum()
    (raw.grad,) = torch.autograd.grad(loss, [raw])
    optimiser.step()
    return p.argmax(1).eq(target).sum().item() / len(x)
