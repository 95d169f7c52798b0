"""A new head, straight from the shop."""

import copy

import wmlearn as wm

EXERCISE = "05.1"
MISTAKE = "does-not-train"


def retrain(network, signs):
    fresh = wm.models.sign_cnn(len(signs.classes)).to(signs.x.device)
    return type(network)(*copy.deepcopy(network[:13]), *fresh[13:]).eval()
