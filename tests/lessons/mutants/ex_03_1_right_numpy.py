"""NumPy's broadcasting; the answer is an array."""

EXERCISE = "03.1"


def stick(picture, sticker, alpha):
    share = alpha.numpy()
    return share * sticker.numpy() + (1 - share) * picture.numpy()
