"""gather along the rows."""

EXERCISE = "13.3"


def plausible(x, picks):
    return x.gather(0, picks)
