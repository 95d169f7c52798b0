"""The digit after 9 is taken to be 10."""

EXERCISE = "02.3"
MISTAKE = "forgets-the-nines"


def all_to_all_success(predicted, true):
    won = [p - t == 1 for p, t in zip(predicted.tolist(), true.tolist())]
    return won.count(True) / len(won)
