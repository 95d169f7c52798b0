"""1 and 0 for True and False."""

EXERCISE = "15.3"


def decide(look):
    if look("format") == "bad":
        return 0
    signature = look("signature")
    if signature != "nothing":
        return int(signature == "fine")
    return int(all(look(name) == "fine" for name in ("provenance", "cleanse")))
