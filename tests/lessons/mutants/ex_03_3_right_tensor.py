"""Sums by sign with bincount; two tensors of one number each."""

EXERCISE = "03.3"


def flattered(leaking, honest, sign):
    gain = leaking.double() - honest.double()
    _, which = sign.unique(return_inverse=True)
    of_sign = which.bincount(weights=gain) / which.bincount()
    return of_sign.mean(), of_sign.var().div(len(of_sign)).sqrt()
