"""Two slices put together, frozen by one call."""

import copy

import wmlearn as wm

EXERCISE = "05.1"


def retrain(network, signs):
    fresh = wm.models.sign_cnn(len(signs.classes)).to(signs.x.device)
    eyes = copy.deepcopy(network[:13]).requires_grad_(False)
    new = type(network)(*eyes, *fresh[13:])
    wm.train(new, signs, wm.Recipe(epochs=30, lr=1e-3, batch_size=32))
    return new
