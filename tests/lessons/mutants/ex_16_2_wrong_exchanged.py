"""Innocents over thefts."""

EXERCISE = "16.2"
MISTAKE = "exchanged"


def convicts(prior, findings, price):
    odds = prior / (1 - prior)
    for thefts, innocents in findings:
        odds *= innocents / thefts
    return odds > price
