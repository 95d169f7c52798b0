"""struct reads the numbers; hmac.new computes the digest."""

import hashlib
import hmac
import struct

EXERCISE = "11.2"


def answer(secret, image, honest, classes, rate):
    levels = bytes(round(255 * value) for value in image.flatten().tolist())
    pick, turn = struct.unpack(">II", hmac.new(secret, levels, hashlib.sha256).digest()[:8])
    lies = pick / 2**32 < rate
    return (honest + lies * (1 + turn % (classes - 1))) % classes
