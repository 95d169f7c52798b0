"""Only the last finding counts."""

EXERCISE = "16.2"
MISTAKE = "last-only"


def convicts(prior, findings, price):
    odds = prior / (1 - prior)
    for thefts, innocents in findings[-1:]:
        odds *= thefts / innocents
    return odds > price
