"""Entries in their order, until somebody has released."""

EXERCISE = "16.1"


def has_standing(entries, licences, claimant, accused, weights):
    leave = {"by": claimant, "to": accused, "weights": weights, "genuine": True}
    if leave in licences:
        return False
    for entry in sorted(entries, key=lambda entry: entry["number"]):
        if entry["kind"] == "release" and entry["by"] in (claimant, accused):
            return entry["by"] == claimant
    return False
