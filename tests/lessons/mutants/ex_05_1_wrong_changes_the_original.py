"""The bought network itself is put together with a head, and all of it trained."""

import wmlearn as wm

EXERCISE = "05.1"
MISTAKE = "changes-the-original"


def retrain(network, signs):
    fresh = wm.models.sign_cnn(len(signs.classes)).to(signs.x.device)
    new = type(network)(*network[:13], *fresh[13:])
    wm.train(new, signs, wm.Recipe(epochs=10, lr=1e-3, batch_size=32))
    return new
