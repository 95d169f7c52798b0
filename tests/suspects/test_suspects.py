"""What the package of suspects shows, and what importing it does not load."""

from __future__ import annotations

from collections.abc import Callable

NAMES = """
import sys
from wmlearn.suspects import Limits, Remote, load_suspect, service
Limits()
Remote("http://127.0.0.1:1")
print(*{"fastapi", "httpx", "uvicorn", "onnxruntime"} & set(sys.modules))
"""


def test_the_names_of_suspects_are_there_before_the_packages_of_a_service_are_loaded(
    at_once: Callable[..., list[str]],
) -> None:
    assert at_once(NAMES, ()) == ["\n"]
