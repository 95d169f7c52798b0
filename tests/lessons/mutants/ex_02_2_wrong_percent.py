"""Right, but in per cent."""

EXERCISE = "02.2"
MISTAKE = "percent"


def attack_success(predicted, true, target):
    keep = (true - target).abs() > 0
    return 100 * (predicted[keep] == target).sum().item() / keep.sum().item()
