"""What isn't bad comes in."""

EXERCISE = "15.3"
MISTAKE = "nothing-is-fine"


def decide(look):
    if look("format") == "bad" or look("signature") == "bad":
        return False
    return look("signature") == "fine" or not (look("provenance") == "bad" or look("cleanse") == "bad")
