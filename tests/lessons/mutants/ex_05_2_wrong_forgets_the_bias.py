"""Only the weight is multiplied."""

EXERCISE = "05.2"
MISTAKE = "forgets-the-bias"


def strengthen(weight, bias, channels, k):
    weight = weight.clone()
    weight[channels] = weight[channels] * k
    return weight, bias
