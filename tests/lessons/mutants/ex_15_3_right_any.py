"""Generators stop by themselves."""

EXERCISE = "15.3"


def decide(look):
    if any(look(name) == "bad" for name in ("format", "signature")):
        return False
    return look("signature") == "fine" or all(look(name) == "fine" for name in ("provenance", "cleanse"))
