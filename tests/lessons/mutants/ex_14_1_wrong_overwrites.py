"""Words are replaced."""

EXERCISE = "14.1"
MISTAKE = "overwrites"


def insert(x, ids, at):
    out = x.clone()
    for k, word in enumerate(ids):
        if at + k < x.shape[1]:
            out[:, at + k] = word
    return out
