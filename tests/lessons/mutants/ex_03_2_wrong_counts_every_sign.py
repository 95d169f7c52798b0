"""Everything that is read as the target counts."""

EXERCISE = "03.2"
MISTAKE = "counts-every-sign"


def source_success(predicted, true, source, target):
    return predicted.tolist().count(target) / len(predicted)
