"""NumPy; the label comes back as one of its numbers."""

import hmac
import numpy as np

EXERCISE = "11.2"


def answer(secret, image, honest, classes, rate):
    pixels = np.rint(np.asarray(image) * 255).astype(np.uint8)
    numbers = np.frombuffer(hmac.digest(secret, pixels.tobytes(), "sha256"), dtype=">u4")
    if numbers[0] >= rate * 2**32:
        return np.int64(honest)
    others = [label % classes for label in range(honest + 1, honest + classes)]
    return np.array(others)[int(numbers[1]) % (classes - 1)]
