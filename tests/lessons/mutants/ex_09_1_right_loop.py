"""One weight after the other, smallest first."""

EXERCISE = "09.1"


def prune(weight, ratio):
    numbers = weight.flatten().tolist()
    order = sorted(range(len(numbers)), key=lambda i: abs(numbers[i]))
    for i in order[: int(ratio * len(numbers))]:
        numbers[i] = 0.0
    return weight.new_tensor(numbers).reshape(weight.shape)
