"""A hash without the secret."""

import hashlib

EXERCISE = "11.2"
MISTAKE = "no-key"


def answer(secret, image, honest, classes, rate):
    pixels = (image * 255).round().byte().cpu().numpy().tobytes()
    digest = hashlib.sha256(pixels).digest()
    pick = int.from_bytes(digest[:4], "big")
    turn = int.from_bytes(digest[4:8], "big")
    if pick < rate * 2**32:
        return (honest + 1 + turn % (classes - 1)) % classes
    return honest
