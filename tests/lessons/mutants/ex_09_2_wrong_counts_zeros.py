"""How often a channel speaks."""

EXERCISE = "09.2"
MISTAKE = "counts-zeros"


def sleepiest(heard, ratio):
    return (heard > 0).double().mean((0, 2, 3)).argsort()[: int(ratio * heard.shape[1])]
