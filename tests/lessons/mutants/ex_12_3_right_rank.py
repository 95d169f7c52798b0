"""Counts who is followed less closely."""

import torch.nn.functional as F

EXERCISE = "12.3"


def sibling_p(scores, networks):
    ours = F.normalize(scores - scores.mean(-1, keepdim=True), dim=-1)
    theirs = F.normalize(networks - networks.mean(-1, keepdim=True), dim=-1)
    likeness = (ours * theirs).sum(-1).mean(-1).tolist()
    behind = sum(each < likeness[0] for each in likeness)
    return 1 - behind / len(likeness)
