"""No loop: the rows of u, then those of v; in single precision, as it comes."""

import torch

EXERCISE = "03.1"


def homography(here, there):
    known = torch.cat([here, torch.ones(4, 1)], 1)
    nothing = torch.zeros(4, 3)
    of_u = torch.cat([known, nothing, -here * there[:, :1]], 1)
    of_v = torch.cat([nothing, known, -here * there[:, 1:]], 1)
    h = torch.linalg.solve(torch.cat([of_u, of_v]), there.T.reshape(8))
    return torch.cat([h, torch.ones(1)]).reshape(3, 3)
