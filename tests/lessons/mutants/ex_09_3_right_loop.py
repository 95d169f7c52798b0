"""The first answer whose condition holds."""

EXERCISE = "09.3"


def decide(before, after, p_before, p_after):
    for answer, applies in enumerate((p_before >= 0.001, after < 0.9 * before, p_after < 0.001)):
        if applies:
            return answer
    return 3
