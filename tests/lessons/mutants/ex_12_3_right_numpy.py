"""NumPy, by correlation: the cosine of what is left without the mean; a NumPy number comes back."""

import numpy as np

EXERCISE = "12.3"


def sibling_p(scores, networks):
    likeness = []
    for rows in networks.numpy():
        pairs = zip(scores.numpy(), rows, strict=True)
        likeness.append(np.mean([np.corrcoef(ours, theirs)[0, 1] for ours, theirs in pairs]))
    return np.mean(np.array(likeness) >= likeness[0] - 1e-9)
