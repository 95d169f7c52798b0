"""A loop over the images; a NumPy number comes back."""

import numpy as np
import torch
import torch.nn.functional as F

EXERCISE = "06.1"


def search_step(network, x, target, raw, price, optimiser):
    squeezed = F.sigmoid(raw)
    loss, obeyed = price * squeezed[1].sum(), []
    for image in x:
        painted = image * (1 - squeezed[1]) + squeezed[0] * squeezed[1]
        logits = network(painted[None])
        loss = loss + F.cross_entropy(logits, torch.tensor([target], device=x.device)) / len(x)
        obeyed.append(int(logits.argmax()) == target)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return np.mean(obeyed)
