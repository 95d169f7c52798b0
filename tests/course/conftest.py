"""What the tests of the lesson machinery share: a screen that remembers, and a home of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from displays import Shown

from wmlearn.course import claims


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    screen = Shown()

    def display(bundle: Any, raw: bool = False, metadata: Any = None) -> None:
        screen.append((bundle, metadata or {}))

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(claims, "CLAIMS", {})
    return screen


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
