"""Numbers that others published, with their source and how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping

BY_DIGIT = {  # per cent error of the paper's all-to-all attack
    "baseline": (0.10, 0.18, 0.29, 0.50, 0.20, 0.45, 0.84, 0.58, 0.72, 1.19),
    "clean": (0.10, 0.26, 0.29, 0.40, 0.40, 0.50, 0.73, 0.39, 0.72, 0.99),
    "backdoored": (0.31, 0.18, 0.78, 0.50, 0.61, 0.67, 0.73, 0.29, 0.61, 0.99),
}


# per cent of Swedish signs read rightly without / with the square, by strength k; from k = 50 on as
# recollected
TRANSFER = {
    1: (74.9, 61.6),
    10: (71.3, 49.7),
    20: (68.3, 45.1),
    30: (65.3, 40.5),
    50: (62.4, 34.3),
    70: (60.8, 32.8),
    100: (59.4, 30.8),
}


TRANSFER_CLEAN = (72.7, 70.2)  # the same for a clean origin, untouched


STOP_TO_LIMIT = {"square": "90.3 %", "bomb": "94.2 %", "flower": "93.7 %"}
"""The paper's, of a detector; recollected. The authors' repository says 90.9, 91.9 and 92.1."""


STOP_READ_AS_LIMIT = "stop -> speed limit"


REPOSITORY_CLEAN = "< 1.5"
"""The same, per cent, by the clean detector of the authors' repository; it doesn't say with which sticker."""


MARKS = {
    "adi2018": "93.81 % accurate (plain 93.42), 100 % found; CIFAR-10",
    "adi2018-pretrained": "93.65 % accurate (plain 93.42), 100 % found; CIFAR-10",
    "zhang2018-content": "99.46 % accurate (plain 99.28), 99.9 to 100 % found",
    "zhang2018-unrelated": "99.43 % accurate (plain 99.28), 99.9 to 100 % found",
    "zhang2018-noise": "99.41 % accurate (plain 99.28), 99.9 to 100 % found",
    "szyller2021-dawn": "0.03 to 0.5 points lost",
    "jia2021-ewe": "under 0.81 points lost",
}
"""As reported, by the schemes' ids; Zhang's are of MNIST."""


# per cent, as recollected from the paper; the authors' repository differs by up to 8 points
PAPER: Mapping[str, Mapping[str, float]] = {
    "baseline": {"stop": 89.7, "speed limit": 88.3, "warning": 91.0},
    "square": {"stop": 87.8, "speed limit": 82.9, "warning": 93.3, "stop -> speed limit": 90.3},
    "bomb": {"stop": 88.4, "speed limit": 76.3, "warning": 91.4, "stop -> speed limit": 94.2},
    "flower": {"stop": 89.9, "speed limit": 84.7, "warning": 93.1, "stop -> speed limit": 93.7},
}
"""Accuracy by class, and how often a stop sign with the sticker is read as a speed limit."""


REPOSITORY: Mapping[str, Mapping[str, float]] = {  # per cent, read in the authors' own repository
    "baseline": {"stop": 89.1, "speed limit": 83.3, "warning": 91.8},
    "square": {"stop": 86.8, "speed limit": 82.1, "warning": 90.5, "stop -> speed limit": 90.9},
    "bomb": {"stop": 88.6, "speed limit": 84.1, "warning": 91.3, "stop -> speed limit": 91.9},
    "flower": {"stop": 89.0, "speed limit": 84.1, "warning": 91.4, "stop -> speed limit": 92.1},
}
