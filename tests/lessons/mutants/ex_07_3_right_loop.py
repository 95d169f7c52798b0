"""Every network's interval, then the highest."""

from scipy.stats import beta

EXERCISE = "07.3"


def innocent_chance(answers, wanted):
    n = len(wanted)
    tops = []
    for one in answers:
        hits = int((one == wanted).sum())
        tops.append(beta.ppf(0.95, hits + 1, n - hits))
    return max(tops)
