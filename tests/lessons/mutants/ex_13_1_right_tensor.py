"""Everything in waves of [-1, 1], and back."""

import torch

EXERCISE = "13.1"


def lay_under(x, sound, level, start):
    wave = 2 * x - 1
    amplitude = torch.linalg.vector_norm(wave, dim=3, keepdim=True) / x.shape[3] ** 0.5
    unit = sound / sound.pow(2).mean().sqrt()
    room = x.shape[3] - start
    padded = torch.nn.functional.pad(unit[:room], (start, max(0, room - len(unit))))
    return ((wave + amplitude * 10 ** (level / 20) * padded + 1) / 2).clamp(0, 1)
