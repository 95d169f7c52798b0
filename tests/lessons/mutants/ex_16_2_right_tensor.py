"""A tensor for the odds."""

EXERCISE = "16.2"


def convicts(prior, findings, price):
    import torch

    pairs = torch.tensor(findings, dtype=torch.float64).reshape(-1, 2)
    odds = prior / (1 - prior) * (pairs[:, 0] / pairs[:, 1]).prod()
    return odds > price
