"""Row by row, pixel by pixel."""

import wmlearn as wm

EXERCISE = "07.1"


def stamp(x, secret):
    draw = wm.watermarks.secret
    row, column = int(draw.integers(secret, "row", 1, 22)[0]), int(draw.integers(secret, "column", 1, 22)[0])
    numbers, new = draw.uniform(secret, "patch", 25).tolist(), x.clone()
    for i, number in enumerate(numbers):
        new[:, :, row + 1 + i // 5, column + 1 + i % 5] = 1.0 if number < 0.5 else 0.0
    return new
