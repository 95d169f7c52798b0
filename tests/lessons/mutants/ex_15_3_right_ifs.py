"""One question after the other."""

EXERCISE = "15.3"


def decide(look):
    if look("format") == "bad":
        return False
    signed = look("signature")
    if signed == "bad":
        return False
    if signed == "fine":
        return True
    if look("provenance") != "fine":
        return False
    return look("cleanse") == "fine"
