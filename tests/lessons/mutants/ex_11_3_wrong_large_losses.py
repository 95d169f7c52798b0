"""Large losses are looked for."""

EXERCISE = "11.3"
MISTAKE = "large-losses"


def caught(members, strangers, alarms):
    as_small = (strangers[None] >= members[:, None]).sum(1)
    p = (1 + as_small).double() / (1 + len(strangers))
    return (p <= alarms).double().mean().item()
