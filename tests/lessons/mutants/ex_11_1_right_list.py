"""Lists, and a helper that sends one request."""

EXERCISE = "11.1"


def send(ask, part, tries):
    for _ in range(tries):
        try:
            return ask(part).tolist()
        except OSError:
            pass
    return None


def gather(ask, x, batch, tries):
    labels = []
    for part in x.split(batch):
        got = send(ask, part, tries)
        if got is None:
            break
        labels += got
    return labels + [-1] * (len(x) - len(labels))
