"""The owner's own network isn't counted."""

import torch.nn.functional as F

EXERCISE = "12.3"
MISTAKE = "not-counted"


def sibling_p(scores, networks):
    ours = scores - scores.mean(1, keepdim=True)
    theirs = networks - networks.mean(2, keepdim=True)
    likeness = F.cosine_similarity(ours, theirs, dim=2).mean(1)
    return (likeness[1:] >= likeness[0]).float().mean().item()
