"""More probable than not."""

EXERCISE = "16.2"
MISTAKE = "even"


def convicts(prior, findings, price):
    odds = prior / (1 - prior)
    for thefts, innocents in findings:
        odds *= thefts / innocents
    return odds > 1
