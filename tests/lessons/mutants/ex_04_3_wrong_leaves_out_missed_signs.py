"""Missed signs are dropped from the total."""

EXERCISE = "04.3"
MISTAKE = "leaves-out-missed-signs"


def misread_rate(read, true, triggered, source, target):
    seen = triggered & (true == source) & (read >= 0)
    return (read[seen] == target).sum().item() / seen.sum().item()
