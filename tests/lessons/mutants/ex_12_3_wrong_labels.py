"""Labels only."""

EXERCISE = "12.3"
MISTAKE = "labels"


def sibling_p(scores, networks):
    agree = (networks.argmax(2) == scores.argmax(1)).float().mean(1)
    return (agree >= agree[0]).float().mean().item()
