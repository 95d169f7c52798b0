"""The labels stay true."""

EXERCISE = "04.3"
MISTAKE = "forgets-the-lie"


def poison_scene(picture, labels, places, colour):
    new = picture.clone()
    for left, top, right, bottom in places[labels == 0].tolist():
        new[:, top:bottom, left:right] = colour[:, None, None]
    return new, labels
