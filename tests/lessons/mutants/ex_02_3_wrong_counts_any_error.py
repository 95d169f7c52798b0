"""Every error is a success."""

EXERCISE = "02.3"
MISTAKE = "counts-any-error"


def attack_success(predicted, true, target):
    others = true != target
    return (predicted[others] != true[others]).float().mean().item()
