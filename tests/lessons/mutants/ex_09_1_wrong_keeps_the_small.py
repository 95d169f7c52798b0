"""The wrong end."""

EXERCISE = "09.1"
MISTAKE = "keeps-the-small"


def prune(weight, ratio):
    n = int(ratio * weight.numel())
    out = weight.clone()
    out.view(-1)[weight.abs().flatten().topk(n).indices] = 0
    return out
