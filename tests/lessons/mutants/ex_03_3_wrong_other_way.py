"""What honesty gains."""

import torch

EXERCISE = "03.3"
MISTAKE = "other-way"


def flattered(leaking, honest, sign):
    gain = honest.float() - leaking.float()
    of_sign = torch.stack([gain[sign == one].mean() for one in sign.unique()])
    return of_sign.mean().item(), (of_sign.std() / len(of_sign) ** 0.5).item()
