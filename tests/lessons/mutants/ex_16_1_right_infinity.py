"""Who released nothing did so at the end of time; 1 and 0 for True and False."""

EXERCISE = "16.1"


def has_standing(entries, licences, claimant, accused, weights):
    when = {claimant: float("inf"), accused: float("inf")}
    for entry in entries:
        if entry["kind"] == "release" and entry["by"] in when:
            when[entry["by"]] = min(when[entry["by"]], entry["number"])
    wanted = (claimant, accused, weights)
    leave = [p for p in licences if (p["by"], p["to"], p["weights"]) == wanted and p["genuine"]]
    return int(not leave and when[claimant] < when[accused])
