"""Every image counts, those of the target class too."""

EXERCISE = "02.2"
MISTAKE = "counts-the-target-class"


def attack_success(predicted, true, target):
    hits = 0
    for label in predicted:
        hits += int(label) == target
    return hits / len(predicted)
