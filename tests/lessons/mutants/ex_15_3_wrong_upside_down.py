"""True means refused."""

EXERCISE = "15.3"
MISTAKE = "upside-down"


def decide(look):
    if look("format") == "bad" or look("signature") == "bad":
        return True
    if look("signature") == "fine":
        return False
    return not (look("provenance") == "fine" and look("cleanse") == "fine")
