"""Plain Python; nines get a line of their own."""

EXERCISE = "02.3"


def all_to_all_success(predicted, true):
    won = 0
    for p, t in zip(predicted.tolist(), true.tolist()):
        wanted = 0 if t == 9 else t + 1
        won += p == wanted
    return won / len(true)
