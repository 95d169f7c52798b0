"""A tensor comes back; one network after the other."""

import torch
import torch.nn.functional as F

EXERCISE = "12.3"


def sibling_p(scores, networks):
    centre = lambda rows: rows - rows.mean(1, keepdim=True)
    likeness = torch.stack([F.cosine_similarity(centre(scores), centre(rows)).mean() for rows in networks])
    return (likeness >= likeness[0]).sum() / len(networks)
