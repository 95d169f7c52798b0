"""The prior for the odds."""

EXERCISE = "16.2"
MISTAKE = "not-odds"


def convicts(prior, findings, price):
    odds = prior
    for thefts, innocents in findings:
        odds *= thefts / innocents
    return odds > price
