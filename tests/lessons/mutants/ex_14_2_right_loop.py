"""A word at a time; a list comes back."""

EXERCISE = "14.2"


def suspicions(text, surprise, alone):
    row = [0, *text.tolist(), 0]
    values = []
    for k in range(1, len(row) - 1):
        value = surprise[row[k - 1], row[k]] + surprise[row[k], row[k + 1]] - alone[row[k + 1]]
        values.append(value.item())
    return values
