"""The prior is left out."""

EXERCISE = "16.2"
MISTAKE = "no-prior"


def convicts(prior, findings, price):
    odds = 1.0
    for thefts, innocents in findings:
        odds *= thefts / innocents
    return odds > price
