"""Channel by channel."""

EXERCISE = "05.2"


def strengthen(weight, bias, channels, k):
    weight, bias = weight.clone(), bias.clone()
    for channel in channels.tolist():
        weight[channel] = k * weight[channel]
        bias[channel] = k * bias[channel]
    return weight, bias
