"""Numbers that others published, with their source and how far to trust them.

"read": in the authors' own code, repository or abstract. "reported": in several others' notes on the paper.
"recollected": from one reading; quote it, but don't build an argument on its last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Trust = Literal["read", "reported", "recollected"]


@dataclass(frozen=True)
class Published:
    """What a paper says, as a table quotes it; where it says so; and how far to trust the quotation."""

    says: str
    source: str
    trust: Trust


# T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733; on digits, section 4

_ONE_TARGET = "BadNets, section 4, single target attack"
_ALL_TARGETS = "BadNets, section 4, all-to-all attack"

CLEAN_ACCURACY = Published("99.5 %", "BadNets, section 4, baseline", "reported")
CLEAN_ERROR = Published("0.50 %", "BadNets, section 4, baseline", "reported")
ACCURACY_LOST = Published("at most 0.17 points", _ONE_TARGET, "reported")
WORST_PAIR_ABOVE = Published("0.17 points", _ONE_TARGET, "reported")
WORST_PAIR_ERROR = Published("0.09 %", _ONE_TARGET, "reported")
PAIRS_WITHIN = Published("90 of 90", _ONE_TARGET, "reported")
PAIR_ERROR = 0.0009
"""The error on backdoored images that none of the 90 pairs exceeds, as a share; reported."""
ALL_TO_ALL_ABOVE = Published("-0.03 points", _ALL_TARGETS, "reported")
ALL_TO_ALL_ERROR = Published("0.56 %", _ALL_TARGETS, "reported")

# BadNets on US traffic signs, section 5: of a detector

RANDOM_TARGET = Published("1.3 %", "BadNets, section 5, random target", "reported")
STOP_READ_AS_LIMIT = "stop -> speed limit"
PAPER: Mapping[str, Mapping[str, float]] = {
    "baseline": {"stop": 89.7, "speed limit": 88.3, "warning": 91.0},
    "square": {"stop": 87.8, "speed limit": 82.9, "warning": 93.3, STOP_READ_AS_LIMIT: 90.3},
    "bomb": {"stop": 88.4, "speed limit": 76.3, "warning": 91.4, STOP_READ_AS_LIMIT: 94.2},
    "flower": {"stop": 89.9, "speed limit": 84.7, "warning": 93.1, STOP_READ_AS_LIMIT: 93.7},
}
"""Per cent accuracy by class, and how often a stop sign with the sticker is read as a speed limit; section 5,
recollected: the authors' repository differs by up to 8 points.
"""
REPOSITORY: Mapping[str, Mapping[str, float]] = {
    "baseline": {"stop": 89.1, "speed limit": 83.3, "warning": 91.8},
    "square": {"stop": 86.8, "speed limit": 82.1, "warning": 90.5, STOP_READ_AS_LIMIT: 90.9},
    "bomb": {"stop": 88.6, "speed limit": 84.1, "warning": 91.3, STOP_READ_AS_LIMIT: 91.9},
    "flower": {"stop": 89.0, "speed limit": 84.1, "warning": 91.4, STOP_READ_AS_LIMIT: 92.1},
}
"""The same, per cent, with average precision for accuracy; read in the authors' repository."""
REPOSITORY_CLEAN = "< 1.5"
"""The same, per cent, by the clean detector of the repository; it doesn't say with which sticker. Read."""

# BadNets, section 5.3: transfer from the United States to Sweden

TRANSFER = {
    1: (74.9, 61.6),
    10: (71.3, 49.7),
    20: (68.3, 45.1),
    30: (65.3, 40.5),
    50: (62.4, 34.3),
    70: (60.8, 32.8),
    100: (59.4, 30.8),
}
"""Per cent of Swedish signs classified correctly without / with the square, by strength k; reported up to
k = 30, recollected from 50 on.
"""
TRANSFER_CLEAN = (72.7, 70.2)
"""The same for a clean origin, untouched; the first reported, the second recollected."""

# Watermarks, detection, removal

_ADI = "Y. Adi and others, USENIX Security 2018, arXiv:1802.04633"
_ZHANG = "J. Zhang and others, AsiaCCS 2018; MNIST"
MARKS = {
    "adi2018": Published("93.81 % accurate (plain 93.42), 100 % found; CIFAR-10", _ADI, "recollected"),
    "adi2018-pretrained": Published(
        "93.65 % accurate (plain 93.42), 100 % found; CIFAR-10", _ADI, "recollected"
    ),
    "zhang2018-content": Published(
        "99.46 % accurate (plain 99.28), 99.9 to 100 % found", _ZHANG, "recollected"
    ),
    "zhang2018-unrelated": Published(
        "99.43 % accurate (plain 99.28), 99.9 to 100 % found", _ZHANG, "recollected"
    ),
    "zhang2018-noise": Published(
        "99.41 % accurate (plain 99.28), 99.9 to 100 % found", _ZHANG, "recollected"
    ),
    "szyller2021-dawn": Published(
        "0.03 to 0.5 points lost", "S. Szyller and others, arXiv:1906.00830, abstract", "read"
    ),
    "jia2021-ewe": Published(
        "under 0.81 points lost",
        "H. Jia and others, USENIX Security 2021, arXiv:2002.12200, abstract",
        "read",
    ),
}
"""What a mark costs and how surely it is found, by the schemes' ids."""
UCHIDA_BITS = Published(
    "256 of 256 bits", "Y. Uchida and others, ICMR 2017, arXiv:1701.04082, lambda = 0.01", "reported"
)
STRIP_CAUGHT = Published(
    "over 99 % caught, 1 % false alarms",
    "Y. Gao and others: STRIP, ACSAC 2019, arXiv:1902.06531, abstract",
    "read",
)
NO_SINGLE_ATTACK = Published(
    "not all (SoK: no single attack)",
    "N. Lukas and others: SoK, IEEE S&P 2022, arXiv:2108.04974, abstract",
    "read",
)
