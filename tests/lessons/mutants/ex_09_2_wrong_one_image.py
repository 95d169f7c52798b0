"""The first image stands for all."""

EXERCISE = "09.2"
MISTAKE = "one-image"


def sleepiest(heard, ratio):
    return heard[0].mean((1, 2)).argsort()[: int(ratio * heard.shape[1])]
