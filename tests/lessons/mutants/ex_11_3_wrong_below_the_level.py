"""Only below the level."""

EXERCISE = "11.3"
MISTAKE = "below-the-level"


def caught(members, strangers, alarms):
    as_small = (strangers[None] <= members[:, None]).sum(1)
    p = (1 + as_small).double() / (1 + len(strangers))
    return (p < alarms - 1e-9).double().mean().item()
