"""Floats are hashed."""

import hmac

EXERCISE = "11.2"
MISTAKE = "floats"


def answer(secret, image, honest, classes, rate):
    pixels = image.cpu().contiguous().numpy().tobytes()
    digest = hmac.digest(secret, pixels, "sha256")
    pick = int.from_bytes(digest[:4], "big")
    turn = int.from_bytes(digest[4:8], "big")
    if pick < rate * 2**32:
        return (honest + 1 + turn % (classes - 1)) % classes
    return honest
