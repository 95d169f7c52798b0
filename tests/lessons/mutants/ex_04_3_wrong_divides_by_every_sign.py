"""All signs of the street stand in the denominator."""

EXERCISE = "04.3"
MISTAKE = "divides-by-every-sign"


def misread_rate(read, true, triggered, source, target):
    won = sum(
        int(on) and t == source and r == target
        for r, t, on in zip(read.tolist(), true.tolist(), triggered.tolist())
    )
    return won / len(read)
