"""Bytes are read from the small end."""

import hmac

EXERCISE = "11.2"
MISTAKE = "little-endian"


def answer(secret, image, honest, classes, rate):
    pixels = (image * 255).round().byte().cpu().numpy().tobytes()
    digest = hmac.digest(secret, pixels, "sha256")
    pick = int.from_bytes(digest[:4], "little")
    turn = int.from_bytes(digest[4:8], "little")
    if pick < rate * 2**32:
        return (honest + 1 + turn % (classes - 1)) % classes
    return honest
