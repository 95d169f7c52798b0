"""Frozen weights, but the whole network in train mode."""

import copy

import torch
from torch import nn

EXERCISE = "05.1"
MISTAKE = "statistics-drift"


def retrain(network, signs):
    new = copy.deepcopy(network)
    new[14] = nn.Linear(2048, 128)
    new[16] = nn.Linear(128, len(signs.classes))
    new[13:].to(signs.x.device)
    new[:13].requires_grad_(False)
    new.train()
    optimiser = torch.optim.Adam(new[13:].parameters(), lr=1e-3)
    for _ in range(10):
        for rows in torch.randperm(len(signs.x)).split(32):
            optimiser.zero_grad()
            nn.functional.cross_entropy(new(signs.x[rows]), signs.y[rows]).backward()
            optimiser.step()
    return new
