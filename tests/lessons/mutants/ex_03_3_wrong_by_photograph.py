"""Takes every photograph for a witness of its own."""

EXERCISE = "03.3"
MISTAKE = "by-photograph"


def flattered(leaking, honest, sign):
    gain = leaking.float() - honest.float()
    return gain.mean(), gain.std() / len(gain) ** 0.5
