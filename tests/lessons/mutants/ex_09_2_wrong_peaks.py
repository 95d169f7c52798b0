"""The largest answer anywhere."""

EXERCISE = "09.2"
MISTAKE = "peaks"


def sleepiest(heard, ratio):
    return heard.flatten(2).max(2).values.max(0).values.argsort()[: int(ratio * heard.shape[1])]
