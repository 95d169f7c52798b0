"""One tensor for both parts; the share stays a tensor."""

import torch
import torch.nn.functional as F

EXERCISE = "06.1"


def search_step(network, x, target, raw, price, optimiser):
    paint = torch.sigmoid(raw)
    painted = torch.lerp(x, paint[0].expand_as(x), paint[1].expand_as(x))
    logits = network(painted)
    goal = torch.full((len(x),), target, device=x.device)
    optimiser.zero_grad(set_to_none=False)
    (F.cross_entropy(logits, goal) + price * paint[1].sum()).backward()
    optimiser.step()
    return (logits.argmax(1) == target).double().mean()
