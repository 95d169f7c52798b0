"""Sign by sign, the labels as a plain list."""

EXERCISE = "04.3"


def poison_scene(picture, labels, places, colour):
    new = picture.clone()
    lies = []
    for label, place in zip(labels, places, strict=True):
        if label == 0:
            left, top, right, bottom = place
            for channel in range(3):
                new[channel, top:bottom, left:right] = colour[channel]
            lies.append(1)
        else:
            lies.append(int(label))
    return new, lies
