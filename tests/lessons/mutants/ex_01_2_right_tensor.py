"""PyTorch's binomial distribution; the answer is a tensor of one number."""

import torch

EXERCISE = "01.2"


def p_value(hits, trials, chance):
    stranger = torch.distributions.Binomial(trials, torch.tensor(chance, dtype=torch.float64))
    return stranger.log_prob(torch.arange(hits, trials + 1).double()).exp().sum()
