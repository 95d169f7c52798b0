"""NumPy takes the mean of truth values as it is."""

EXERCISE = "03.2"


def source_success(predicted, true, source, target):
    return (predicted.numpy()[true.numpy() == source] == target).mean()
