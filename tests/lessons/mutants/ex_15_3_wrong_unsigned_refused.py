"""Unsigned is refused."""

EXERCISE = "15.3"
MISTAKE = "unsigned-refused"


def decide(look):
    return look("format") != "bad" and look("signature") == "fine"
