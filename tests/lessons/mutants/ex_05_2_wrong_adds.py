"""k is added."""

EXERCISE = "05.2"
MISTAKE = "adds"


def strengthen(weight, bias, channels, k):
    weight, bias = weight.clone(), bias.clone()
    weight[channels] += k
    bias[channels] += k
    return weight, bias
