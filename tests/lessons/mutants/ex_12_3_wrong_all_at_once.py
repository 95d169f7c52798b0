"""One cosine over all."""

import torch.nn.functional as F

EXERCISE = "12.3"
MISTAKE = "all-at-once"


def sibling_p(scores, networks):
    ours = scores - scores.mean(1, keepdim=True)
    theirs = networks - networks.mean(2, keepdim=True)
    likeness = F.cosine_similarity(ours.flatten()[None], theirs.flatten(1), dim=1)
    return (likeness >= likeness[0]).float().mean().item()
