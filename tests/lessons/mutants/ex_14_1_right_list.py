"""Lists of lists."""

EXERCISE = "14.1"


def insert(x, ids, at):
    rows = []
    for row in x.tolist():
        words = [word for word in row if word > 0]
        while len(words) + len(ids) > len(row):
            words.pop()
        place = min(at, len(words))
        for word in reversed(ids):
            words.insert(place, word)
        rows.append(words + [0] * (len(row) - len(words)))
    return rows
