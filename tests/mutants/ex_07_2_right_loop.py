"""Question one witness after the other."""

EXERCISE = "07.2"


def count(answers, true, wanted):
    hits = trials = 0
    for answer, truth, label in zip(answers.tolist(), true.tolist(), wanted.tolist(), strict=True):
        if truth == label:
            continue
        trials += 1
        hits += answer == label
    return hits, trials
