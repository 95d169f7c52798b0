"""The old head is trained on."""

import copy

import wmlearn as wm

EXERCISE = "05.1"
MISTAKE = "keeps-the-head"


def retrain(network, signs):
    new = copy.deepcopy(network)
    new[:13].requires_grad_(False)
    wm.train(new, signs, wm.Recipe(epochs=10, lr=1e-3, batch_size=32))
    return new
