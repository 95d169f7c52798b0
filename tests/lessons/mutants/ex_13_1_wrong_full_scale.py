"""The level of full scale."""

EXERCISE = "13.1"
MISTAKE = "full-scale"


def lay_under(x, sound, level, start):
    loud = 1.0 * 10 ** (level / 20)
    heard = sound[:x.shape[3] - start] / sound.square().mean().sqrt()
    out = x.clone()
    out[..., start:start + len(heard)] += loud * heard
    return out.clamp(0, 1)
