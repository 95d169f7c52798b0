"""A wrong sign costs a softplus."""

import torch.nn.functional as F

EXERCISE = "08.2"


def embedding_loss(average, asked, bits):
    return F.softplus((1 - 2 * bits) * (asked @ average)).sum()
