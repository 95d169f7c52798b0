"""The mean stays in."""

import torch.nn.functional as F

EXERCISE = "12.3"
MISTAKE = "not-centred"


def sibling_p(scores, networks):
    likeness = F.cosine_similarity(scores.expand_as(networks), networks, dim=2).mean(1)
    return (likeness >= likeness[0]).float().mean().item()
