"""numpy's isin."""

EXERCISE = "03.3"


def leaked(train, test):
    import numpy as np

    return np.isin(test.numpy(), train.numpy()).mean()
