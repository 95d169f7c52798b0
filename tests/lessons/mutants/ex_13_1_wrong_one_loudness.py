"""One loudness for all clips."""

EXERCISE = "13.1"
MISTAKE = "one-loudness"


def lay_under(x, sound, level, start):
    loud = (x - 0.5).square().mean().sqrt() * 10 ** (level / 20)
    heard = sound[:x.shape[3] - start] / sound.square().mean().sqrt()
    out = x.clone()
    out[..., start:start + len(heard)] += loud * heard
    return out.clamp(0, 1)
