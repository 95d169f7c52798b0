"""The paint squeezed once; a NumPy number comes back."""

import numpy as np
import torch
import torch.nn.functional as F

EXERCISE = "06.1"


def search_step(network, x, target, raw, price, optimiser):
    squeezed = F.sigmoid(raw)
    painted = x - x * squeezed[1] + squeezed[0] * squeezed[1]
    logits = network(painted)
    loss = price * squeezed[1].sum()
    loss = loss + F.cross_entropy(logits, torch.tensor([target] * len(x), device=x.device))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return np.mean(logits.argmax(1).cpu().numpy() == target)
