"""Clip by clip."""

import torch

EXERCISE = "13.1"


def lay_under(x, sound, level, start):
    out = []
    for clip in x:
        quiet = clip - 0.5
        gain = (quiet.square().mean() / sound.square().mean()).sqrt() * 10 ** (level / 20)
        longer = torch.cat([torch.zeros(start), gain * sound, torch.zeros(clip.shape[-1])])
        out.append((clip + longer[:clip.shape[-1]]).clamp(0, 1))
    return torch.stack(out)
