"""The probability of theft, and what both mistakes cost on average."""

EXERCISE = "16.2"


def convicts(prior, findings, price):
    stolen, honest = prior, 1 - prior
    for thefts, innocents in findings:
        stolen, honest = stolen * thefts, honest * innocents
    return price * honest / (stolen + honest) < stolen / (stolen + honest)
