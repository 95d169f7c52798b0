"""Two of four tests convict."""

EXERCISE = "16.3"
MISTAKE = "majority"


def verdict(says):
    tests = ("mark", "weights", "weights, matched", "scores")
    return sum(says[test] is True for test in tests) >= 2
