"""Nine unknowns and the singular vector of the smallest singular value, then scaled: as textbooks do."""

import torch

EXERCISE = "03.1"


def homography(here, there):
    rows = []
    for (x, y), (u, v) in zip(here.double().tolist(), there.double().tolist(), strict=True):
        rows.append([x, y, 1, 0, 0, 0, -x * u, -y * u, -u])
        rows.append([0, 0, 0, x, y, 1, -x * v, -y * v, -v])
    h = torch.linalg.svd(torch.tensor(rows, dtype=torch.float64)).Vh[-1].view(3, 3)
    return h / h[2, 2]
