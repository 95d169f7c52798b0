"""A tensor of one number comes back."""

EXERCISE = "11.3"


def caught(members, strangers, alarms):
    as_small = (strangers[None] <= members[:, None]).sum(1)
    return ((1 + as_small).double() / (1 + len(strangers)) <= alarms).float().mean()
