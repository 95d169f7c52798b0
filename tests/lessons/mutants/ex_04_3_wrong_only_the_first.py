"""Stops after the first stop sign."""

EXERCISE = "04.3"
MISTAKE = "only-the-first"


def poison_scene(picture, labels, places, colour):
    new, lies = picture.clone(), labels.clone()
    for i, label in enumerate(labels.tolist()):
        if label == 0:
            left, top, right, bottom = places[i].tolist()
            new[:, top:bottom, left:right] = colour[:, None, None]
            lies[i] = 1
            break
    return new, lies
