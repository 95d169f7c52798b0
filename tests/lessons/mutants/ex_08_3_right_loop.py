"""Channel by channel, into new tensors."""

EXERCISE = "08.3"


def move(weight, bias, following, order, factor):
    new, shifted, read = weight.clone(), bias.clone(), following.clone()
    for place, channel in enumerate(order):
        new[place] = weight[channel] * factor[place]
        shifted[place] = bias[channel] * factor[place]
        read[:, place] = following[:, channel] / factor[place]
    return new, shifted, read
