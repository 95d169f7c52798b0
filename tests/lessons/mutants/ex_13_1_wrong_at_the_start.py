"""Always from the start."""

EXERCISE = "13.1"
MISTAKE = "at-the-start"


def lay_under(x, sound, level, start):
    loud = (x - 0.5).square().mean(3, keepdim=True).sqrt() * 10 ** (level / 20)
    heard = sound[:x.shape[3] - 0] / sound.square().mean().sqrt()
    out = x.clone()
    out[..., 0:0 + len(heard)] += loud * heard
    return out.clamp(0, 1)
