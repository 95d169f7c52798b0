"""Count on before looking."""

EXERCISE = "01.3"
MISTAKE = "one-late"


def forge(hits_of, wanted):
    secret = 1
    done = False
    while not done:
        done = hits_of(secret) >= wanted
        secret += 1
    return secret
