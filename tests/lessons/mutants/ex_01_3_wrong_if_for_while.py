"""Ask once, and count on once."""

EXERCISE = "01.3"
MISTAKE = "if-for-while"


def forge(hits_of, wanted):
    secret = 1
    if hits_of(secret) < wanted:
        secret += 1
    return secret
