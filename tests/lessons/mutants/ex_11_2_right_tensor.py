"""The label is a tensor of one number."""

import hmac
import torch

EXERCISE = "11.2"


def answer(secret, image, honest, classes, rate):
    pixels = (image * 255).round().byte().cpu().numpy().tobytes()
    digest = hmac.digest(secret, pixels, "sha256")
    pick = int.from_bytes(digest[:4], "big")
    turn = int.from_bytes(digest[4:8], "big")
    if pick < rate * 2**32:
        return torch.tensor((honest + 1 + turn % (classes - 1)) % classes)
    return torch.tensor(honest)
