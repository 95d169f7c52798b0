"""No comparison."""

import torch.nn.functional as F

EXERCISE = "12.3"
MISTAKE = "always-first"


def sibling_p(scores, networks):
    ours = scores - scores.mean(1, keepdim=True)
    theirs = networks - networks.mean(2, keepdim=True)
    likeness = F.cosine_similarity(ours, theirs, dim=2).mean(1)
    return 1 / len(likeness)
