"""The wrong way round the circle."""

EXERCISE = "02.3"
MISTAKE = "previous-digit"


def all_to_all_success(predicted, true):
    before = {digit: (digit + 9) % 10 for digit in range(10)}
    return sum(before[int(t)] == int(p) for p, t in zip(predicted, true)) / len(true)
