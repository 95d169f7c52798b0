"""Go on where the hits are just enough."""

EXERCISE = "01.3"
MISTAKE = "strictly-more"


def forge(hits_of, wanted):
    secret = 1
    while hits_of(secret) <= wanted:
        secret += 1
    return secret
