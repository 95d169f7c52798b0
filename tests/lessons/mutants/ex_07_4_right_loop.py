"""Counted one by one, in lists."""

EXERCISE = "07.4"


def decoy_test(suspect, x, y, draw_key, n):
    mine = sum(said == wanted for said, wanted in zip(suspect(x).tolist(), y.tolist(), strict=True))
    decoys, as_high = [], 1
    for number in range(1, n + 1):
        pictures, labels = draw_key(number)
        pairs = zip(suspect(pictures).tolist(), labels.tolist(), strict=True)
        decoys.append(sum(said == wanted for said, wanted in pairs))
        as_high += decoys[-1] >= mine
    return as_high / (n + 1), decoys
