"""With one matrix that permutes and scales."""

import torch

EXERCISE = "08.3"


def move(weight, bias, following, order, factor):
    deal = torch.eye(len(order), device=weight.device)[order.to(weight.device)]
    forth, back = factor[:, None] * deal, deal / factor[:, None]
    return (
        torch.einsum("pc,cijk->pijk", forth, weight),
        forth @ bias,
        torch.einsum("pc,ocjk->opjk", back, following),
    )
