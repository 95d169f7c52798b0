"""A training loop by hand; the convolutions stay in eval mode."""

import copy

import torch
from torch import nn

EXERCISE = "05.1"


def retrain(network, signs):
    new = copy.deepcopy(network).eval()
    new[14] = nn.Linear(2048, 128)
    new[16] = nn.Linear(128, len(signs.classes))
    new[13:].to(signs.x.device)
    new[:13].requires_grad_(False)
    optimiser = torch.optim.Adam(new[13:].parameters(), lr=1e-3)
    for _ in range(30):
        for rows in torch.randperm(len(signs.x)).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(new(signs.x[rows]), signs.y[rows]).backward()
            optimiser.step()
    return new
