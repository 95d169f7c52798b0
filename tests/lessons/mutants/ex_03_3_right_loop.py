"""Plain Python."""

from statistics import mean, stdev

EXERCISE = "03.3"


def flattered(leaking, honest, sign):
    gains = {}
    for a, b, one in zip(leaking.tolist(), honest.tolist(), sign.tolist(), strict=True):
        gains.setdefault(one, []).append(a - b)
    means = [mean(part) for part in gains.values()]
    return mean(means), stdev(means) / len(means) ** 0.5
