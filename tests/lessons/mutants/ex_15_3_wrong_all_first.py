"""All looks are taken first."""

EXERCISE = "15.3"
MISTAKE = "all-first"


def decide(look):
    form, signature, provenance, cleanse = map(look, ("format", "signature", "provenance", "cleanse"))
    if "bad" in (form, signature):
        return False
    return signature == "fine" or provenance == cleanse == "fine"
