"""One shuffle after the other, in Python's own numbers."""

EXERCISE = "12.1"


def p_value(a, b, orders):
    a = a / (a**2).sum(1).sqrt().unsqueeze(1)
    b = b / (b**2).sum(1).sqrt().unsqueeze(1)
    table = (a @ b.T).tolist()
    own = sum(table[i][i] for i in range(len(a)))
    count = 1
    for order in orders.tolist():
        if sum(table[i][j] for i, j in enumerate(order)) >= own - 1e-6:
            count += 1
    return count / (1 + len(orders))
