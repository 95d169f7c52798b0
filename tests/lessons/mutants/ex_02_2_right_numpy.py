"""numpy's weighted mean: images of the target class weigh nothing."""

import numpy as np

EXERCISE = "02.2"


def attack_success(predicted, true, target):
    return np.average(predicted.numpy() == target, weights=true.numpy() != target)
