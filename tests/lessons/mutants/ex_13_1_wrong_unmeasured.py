"""The sound as loud as it came."""

EXERCISE = "13.1"
MISTAKE = "unmeasured"


def lay_under(x, sound, level, start):
    loud = (x - 0.5).square().mean(3, keepdim=True).sqrt() * 10 ** (level / 20)
    heard = sound[:x.shape[3] - start]
    out = x.clone()
    out[..., start:start + len(heard)] += loud * heard
    return out.clamp(0, 1)
