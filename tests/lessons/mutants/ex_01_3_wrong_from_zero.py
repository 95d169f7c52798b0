"""Count the failures, not the tries."""

EXERCISE = "01.3"
MISTAKE = "from-zero"


def forge(hits_of, wanted):
    failures = 0
    while hits_of(failures + 1) < wanted:
        failures += 1
    return failures
