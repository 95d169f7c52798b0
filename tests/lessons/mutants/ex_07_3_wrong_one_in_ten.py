"""Ten classes, so one in ten."""

EXERCISE = "07.3"
MISTAKE = "one-in-ten"


def innocent_chance(answers, wanted):
    return 1 / 10
