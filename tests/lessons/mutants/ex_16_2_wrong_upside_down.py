"""The price is upside down."""

EXERCISE = "16.2"
MISTAKE = "upside-down"


def convicts(prior, findings, price):
    odds = prior / (1 - prior)
    for thefts, innocents in findings:
        odds *= thefts / innocents
    return odds > 1 / price
