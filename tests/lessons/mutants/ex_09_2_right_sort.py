"""Places first, then images."""

EXERCISE = "09.2"


def sleepiest(heard, ratio):
    answer = heard.flatten(2).mean(2).mean(0)
    return answer.sort().indices[: int(ratio * heard.shape[1])]
