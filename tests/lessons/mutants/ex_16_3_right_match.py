"""A match statement."""

EXERCISE = "16.3"


def verdict(says):
    match says:
        case {"mark": True}:
            return True
        case {"public start": False}:
            return False
        case {"weights": True} | {"weights, matched": True} | {"scores": True}:
            return True
    return False
