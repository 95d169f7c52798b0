"""The lie may be the truth."""

import hmac

EXERCISE = "11.2"
MISTAKE = "may-agree"


def answer(secret, image, honest, classes, rate):
    pixels = (image * 255).round().byte().cpu().numpy().tobytes()
    digest = hmac.digest(secret, pixels, "sha256")
    pick = int.from_bytes(digest[:4], "big")
    turn = int.from_bytes(digest[4:8], "big")
    if pick < rate * 2**32:
        return (honest + turn) % classes
    return honest
