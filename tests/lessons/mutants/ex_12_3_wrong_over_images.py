"""Along the images."""

import torch.nn.functional as F

EXERCISE = "12.3"
MISTAKE = "over-images"


def sibling_p(scores, networks):
    ours = (scores - scores.mean(0)).expand_as(networks)
    theirs = networks - networks.mean(1, keepdim=True)
    likeness = F.cosine_similarity(ours, theirs, dim=1).mean(1)
    return (likeness >= likeness[0]).float().mean().item()
