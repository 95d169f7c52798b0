"""Each filter loses its share."""

EXERCISE = "09.1"
MISTAKE = "row-by-row"


def prune(weight, ratio):
    out = weight.clone()
    for row in out:
        row.view(-1)[row.abs().flatten().argsort()[: int(ratio * row.numel())]] = 0
    return out
