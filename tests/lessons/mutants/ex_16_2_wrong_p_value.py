"""The chance of the findings among innocents is taken for that of innocence."""

EXERCISE = "16.2"
MISTAKE = "p-value"


def convicts(prior, findings, price):
    innocence = 1.0
    for thefts, innocents in findings:
        innocence *= innocents
    return 1 - innocence > price * innocence
