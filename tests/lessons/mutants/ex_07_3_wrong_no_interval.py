"""The worst network's share, as it is."""

EXERCISE = "07.3"
MISTAKE = "no-interval"


def innocent_chance(answers, wanted):
    return max(float((one == wanted).float().mean()) for one in answers)
