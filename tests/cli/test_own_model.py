"""The README's part on a model of one's own, run as it stands: three commands, and a script of 15 lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hostile import command
from PIL import Image

from wmlearn import detection
from wmlearn.cli import marks

ROOT = Path(__file__).resolve().parents[2]
FACTORY = """
from torch import nn

def build():
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, 4), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(288, 256), nn.ReLU(), nn.Linear(256, 3),
    )
"""


def _blocks() -> dict[str, str]:
    """Return the blocks of the section by their languages."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("\n## Your own model\n")[1].split("\n## ")[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a factory, and 120 pictures of three classes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.py").write_text(FACTORY)
    draw = np.random.default_rng(0)
    for label, name in enumerate(("blue", "green", "red")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(40):
            pixels = draw.integers(0, 120, (40, 32, 3))
            pixels[..., 2 - label] += 110
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name / f"{i}.jpg")
    yield tmp_path
    sys.modules.pop("my", None)  # the next has another


def test_the_script_of_an_outsider_has_15_lines_at_most_and_prints_a_table(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = _blocks()["python"]
    assert len([line for line in script.splitlines() if line.strip()]) <= 15
    monkeypatch.syspath_prepend(here)
    exec(script, {"__name__": "__main__"})  # a warning would be an error
    done = capsys.readouterr()
    assert done.err == ""
    rows = [line.split() for line in done.out.splitlines()[1:]]
    assert [row[:2] for row in rows] == [
        [mark, removal]
        for mark in ("images", "weights")
        for removal in ("none", "adi2018-ftal", "prune-50", "quantize-4-bits")
    ]
    assert all("believed" in row for row in rows if row[1] == "none"), done.out


def test_the_commands_run_as_they_stand(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"wang2019-neural-cleanse": detection.NeuralCleanse(steps=5)}
    monkeypatch.setattr(detection, "ALL", quick)
    monkeypatch.setattr(marks, "STEPS", 150)
    lines = [line.split("#")[0].split() for line in _blocks()["sh"].splitlines()]
    for words in lines:
        assert words[0] == "wmlearn"
        status, says = command(monkeypatch, *words[1:])
        assert status == 0, says
    assert Path("scan.html").is_file()
    assert Path("owned/key.safetensors").is_file()
    assert Path("card/scorecard.json").is_file()
