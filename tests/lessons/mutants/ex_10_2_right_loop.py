"""One seed after the other."""

EXERCISE = "10.2"


def grind(labels, mine, judges, enough, n):
    kept = []
    for i, label in enumerate(labels):
        agree = sum(int(answer == label) for answer in mine[:, i])
        seen = any(bool(answer == label) for answer in judges[:, i])
        if agree >= enough and not seen:
            kept.append(i)
        if len(kept) == n:
            return kept, i + 1
