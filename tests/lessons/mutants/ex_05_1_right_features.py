"""The convolutions look at each sign once; the head is trained on what they see."""

import copy

import torch
from torch import nn

EXERCISE = "05.1"


def retrain(network, signs):
    eyes = copy.deepcopy(network[:13]).eval()
    head = nn.Sequential(nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, len(signs.classes)))
    head.to(signs.x.device)
    with torch.no_grad():
        seen = eyes(signs.x)
    optimiser = torch.optim.AdamW(head.parameters(), lr=1e-3)
    for _ in range(30):
        for rows in torch.randperm(len(seen)).split(32):
            loss = nn.functional.cross_entropy(head(seen[rows]), signs.y[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return nn.Sequential(eyes, head)
