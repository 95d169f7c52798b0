"""The wrong end."""

EXERCISE = "09.2"
MISTAKE = "loudest"


def sleepiest(heard, ratio):
    return heard.mean((0, 2, 3)).topk(int(ratio * heard.shape[1])).indices
