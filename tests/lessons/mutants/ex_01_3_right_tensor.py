"""The secret is counted in a tensor."""

import torch

EXERCISE = "01.3"


def forge(hits_of, wanted):
    secret = torch.tensor(1)
    while hits_of(int(secret)) < wanted:
        secret = secret + 1
    return secret
