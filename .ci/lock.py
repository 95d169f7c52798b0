"""Write requirements-lock.txt: the exact versions, as installed here, of all that course and tests need.

Run it in the environment in which the tests have just passed: `python .ci/lock.py`.
"""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

EXTRAS = ("test", "dev", "cluster", "onnx", "serve", "tables", "intake", "postgres", "timestamp")
OF_A_GPU = re.compile(r"nvidia-|cuda-|triton")  # PyTorch asks for them by itself where it is built for a GPU
HEADER = """\
# The versions with which the tests passed, on Python 3.11 and Linux. They constrain, and install nothing:
#     pip install -e ".[test]" -c requirements-lock.txt
# It says nothing of a GPU: torch may be a build with CUDA or without. Leave it out on Python 3.10, for which
# some of these versions were never made.
# Written by `python .ci/lock.py`, in the environment of the tests.
"""


def canonical(name: str) -> str:
    """Return a name as package indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(requirement: Requirement, extras: set[str]) -> bool:
    """Return whether a requirement holds on this machine, with one of `extras` or with none."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras})


def collect(name: str, extras: set[str], versions: dict[str, str], seen: set[tuple[str, str]]) -> None:
    """Add to `versions` what `name` needs, and what that needs in turn."""
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        key = canonical(requirement.name)
        if not wanted(requirement, extras) or OF_A_GPU.match(key):
            continue
        versions[key] = distribution(key).version.split("+")[0]  # 2.9.0+cpu is 2.9.0
        new = {extra for extra in {"", *requirement.extras} if (key, extra) not in seen}
        seen |= {(key, extra) for extra in new}
        if new:
            collect(key, set(requirement.extras), versions, seen)


def main() -> None:
    """Write the file beside pyproject.toml."""
    versions: dict[str, str] = {}
    collect("wmlearn", set(EXTRAS), versions, set())
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    path = Path(__file__).resolve().parents[1] / "requirements-lock.txt"
    path.write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
