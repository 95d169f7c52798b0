"""No absolute values."""

EXERCISE = "09.1"
MISTAKE = "forgets-the-sign"


def prune(weight, ratio):
    out = weight.clone()
    out.view(-1)[weight.flatten().argsort()[: int(ratio * weight.numel())]] = 0
    return out
