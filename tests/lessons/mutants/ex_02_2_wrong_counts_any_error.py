"""Whatever is misread counts as won."""

EXERCISE = "02.2"
MISTAKE = "counts-any-error"


def attack_success(predicted, true, target):
    pairs = [(p, t) for p, t in zip(predicted.tolist(), true.tolist()) if t != target]
    return 1 - sum(p == t for p, t in pairs) / len(pairs)
