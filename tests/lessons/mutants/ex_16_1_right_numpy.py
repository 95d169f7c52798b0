"""NumPy's truth value."""

EXERCISE = "16.1"


def has_standing(entries, licences, claimant, accused, weights):
    import numpy as np

    def numbers(who):
        return np.array([e["number"] for e in entries if (e["kind"], e["by"]) == ("release", who)] or [np.inf])

    for paper in licences:
        if not paper["genuine"]:
            continue
        if paper["by"] == claimant and paper["to"] == accused and paper["weights"] == weights:
            return np.False_
    return numbers(claimant).min() < numbers(accused).min()
