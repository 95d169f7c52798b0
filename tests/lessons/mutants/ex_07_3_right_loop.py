"""Image by image, in lists."""

EXERCISE = "07.3"


def innocents(draw_key, networks, n):
    table = []
    for number in range(1, n + 1):
        x, y = draw_key(number)
        row = []
        for network in networks:
            count = 0
            for said, wanted in zip(network(x).tolist(), y.tolist(), strict=True):
                if said == wanted:
                    count += 1
            row.append(count)
        table.append(row)
    return table
