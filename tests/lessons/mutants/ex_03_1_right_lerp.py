"""torch.lerp walks from the picture to the sticker."""

EXERCISE = "03.1"


def stick(picture, sticker, alpha):
    import torch

    return torch.lerp(picture, sticker, alpha.expand_as(picture))
