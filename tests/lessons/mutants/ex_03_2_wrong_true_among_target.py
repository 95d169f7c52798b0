"""Of what is read as the target, how much was a stop sign?"""

EXERCISE = "03.2"
MISTAKE = "true-among-target"


def source_success(predicted, true, source, target):
    said = true[predicted == target].tolist()
    return said.count(source) / len(said)
