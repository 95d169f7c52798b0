"""Whatever is misread counts as won."""

EXERCISE = "02.3"
MISTAKE = "counts-any-error"


def all_to_all_success(predicted, true):
    return 1 - int((predicted == true).sum()) / true.numel()
