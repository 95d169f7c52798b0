"""The dear look comes first."""

EXERCISE = "15.3"
MISTAKE = "dear-first"


def decide(look):
    if look("format") == "bad" or look("signature") == "bad":
        return False
    if look("signature") == "fine":
        return True
    return look("cleanse") == "fine" and look("provenance") == "fine"
