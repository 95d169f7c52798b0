"""What is signed comes in."""

EXERCISE = "15.3"
MISTAKE = "trusts-a-signature"


def decide(look):
    if look("signature") == "fine":
        return True
    if look("format") == "bad" or look("signature") == "bad":
        return False
    return look("provenance") == "fine" and look("cleanse") == "fine"
