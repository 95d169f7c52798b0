"""`wmlearn read`: both networks on a learner's own photographs, and clear words about everything else."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner

import wmlearn as wm
from wmlearn.cli import app as cli
from wmlearn.cli import read
from wmlearn.data import read_photographs, signs
from wmlearn.experiments.signs import KINDS, STICKERS, STOP, of_kinds, two_networks

Answer = read.Answer


def _run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(cli.app, ["read", *map(str, arguments)])


def _error(*arguments: str | Path) -> str:
    result = _run(*arguments)
    assert isinstance(result.exception, wm.errors.WmlearnError)
    return str(result.exception)


def _save(folder: Path, x: Tensor, prefix: str = "") -> None:
    for i, pixels in enumerate((255 * x).round().byte().permute(0, 2, 3, 1).cpu().numpy()):
        Image.fromarray(pixels).save(folder / f"{prefix}{i:03}.png")


def _plain(folder: Path, *names: str) -> None:
    for name in names:
        Image.new("RGB", (40, 40), (200, 20, 30)).save(folder / name, format="PNG")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn stop signs in good light, bare and with the square."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, sticker in (("bare", None), ("square", STICKERS["square"])):
        drawn = of_kinds(signs.draw("us", 60, seed=3, sticker=sticker), "us")
        _save(folder, signs.in_good_light(drawn.x[drawn.y == STOP], 3), name)
    return folder


def test_the_table_says_what_each_network_answers_and_the_last_line_where_they_differ(pairs: Path) -> None:
    result = _run(pairs)
    assert result.exit_code == 0
    rows = [line for line in result.output.splitlines() if ".png" in line]
    assert [row.split()[1] for row in rows] == sorted(path.name for path in pairs.iterdir())
    answers = read.ask(read_photographs(pairs))
    for i, row in enumerate(rows):
        clean, badnet = (answers[network][i] for network in ("clean network", "BadNet"))
        assert row.split()[0] == str(i + 1)
        assert re.findall("stop|speed limit|warning", row) == [clean.kind, badnet.kind]
        assert row.count(" %") == 2
        assert row.endswith("differ") == (clean.kind != badnet.kind)
    n_different = sum(row.endswith("differ") for row in rows)
    assert result.output.splitlines()[-1] == f"The two networks differ on {n_different} of 6 pictures."


def test_the_output_and_the_help_say_what_the_numbers_are_worth(pairs: Path) -> None:
    for words in (_run(pairs).output, _run("--help").output):
        flowing = " ".join(re.sub("[│╭╰─╮╯]", "", words).split())
        for promise in ("centre square", "32 by 32", "German", "printed", "your own measurement"):
            assert promise in flowing


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0.34, "stop   34 %"), (0.99, "stop   99 %"), (0.9951, "stop > 99 %"), (1.0, "stop > 99 %")],
)
def test_no_probability_is_said_to_be_certain(probability: float, words: str) -> None:
    assert read._say(Answer("stop", probability)) == words


def test_what_is_no_picture_is_skipped_named_and_counted(pairs: Path, tmp_path: Path) -> None:
    _plain(tmp_path, "sign.png")
    (tmp_path / "inside").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    Image.new("RGB", (9, 9)).save(tmp_path / "tiny.png")
    (tmp_path / "cut.png").write_bytes((pairs / "bare000.png").read_bytes()[:600])
    result = _run(tmp_path)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    start = lines.index("Skipped 4 of 5 files:")
    names = ["IMG_1.HEIC", "cut.png", "notes.txt", "tiny.png"]
    assert [line.split(":")[0].strip() for line in lines[start + 1 : start + 5]] == names
    assert "Folders inside are not entered: inside." in lines
    assert lines[-1].endswith("of 1 picture.")
    assert _run(tmp_path / "sign.png").output.splitlines()[-1] == lines[-1], "one picture is enough"


def test_nothing_is_written_unless_asked(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(pairs.iterdir())
    assert _run(pairs).exit_code == 0
    assert not list(tmp_path.iterdir())
    assert sorted(pairs.iterdir()) == before


@pytest.mark.parametrize("names", [[], ["notes.txt"]])
def test_without_any_picture_it_fails_with_words(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text("hello")
    result = _run(tmp_path)
    assert result.exit_code == 1
    assert "must hold a picture that can be read, got none" in str(result.exception)
    assert [line.split(":")[0].strip() for line in result.output.splitlines()[1:]] == names


def test_a_folder_that_is_not_there_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["wmlearn", "read", "nowhere"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    printed = capsys.readouterr()
    assert end.value.code == 1
    assert printed.err.startswith("wmlearn: nowhere must be a folder of pictures, or one picture, got: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("標 ü.png", "標 ü.png"),
        ("a\n\x1b[31mb.png", "a??[31mb.png"),
        ("a\udcffb.png", "a?b.png"),
        ("\u202egnp.a", "?gnp.a"),
        ("x" * 30 + "y" * 30, "x" * 19 + "…" + "y" * 20),
    ],
)
def test_a_name_is_shown_without_steering_the_terminal(name: str, shown: str) -> None:
    assert read.printable(name) == shown


def test_a_name_of_any_characters_goes_through_table_and_figure(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    _plain(folder, "標 $x$ {}.png", "-a'\".png")
    result = _run(folder, "--figure", tmp_path / "sheet.png")
    assert result.exit_code == 0
    assert "標 $x$ {}.png" in result.output


# The figure


def test_the_figure_shows_what_the_networks_see_and_what_they_answer(pairs: Path, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    result = _run(pairs, "--figure", path)
    assert result.exit_code == 0
    assert f"See it:   {path}\n" in result.output
    assert list(tmp_path.iterdir()) == [path]
    with Image.open(path) as image:
        says = image.info["Description"]
    answers = read.ask(read_photographs(pairs))
    assert says.startswith(
        "6 photographs as the networks see them, numbered row by row: clean network reads "
    )
    for network in ("clean network", "BadNet"):
        assert f"{network} reads {', '.join(answer.kind for answer in answers[network])}" in says


def test_a_large_figure_says_what_it_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_DRAWN", 9)
    folder = tmp_path / "in"
    folder.mkdir()
    _plain(folder, *(f"{i:02}.png" for i in range(10)))
    result = _run(folder, "--figure", tmp_path / "sheet.png")
    assert "sheet.png shows the first 9\n" in result.output
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.info["Description"].startswith("9 photographs")


def test_a_figure_is_replaced_only_when_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    _plain(folder, "sign.png")
    path = tmp_path / "sheet.png"
    path.write_text("mine")
    assert "must not be there already" in _error(folder, "--figure", path)
    assert path.read_text() == "mine"
    assert _run(folder, "--figure", path, "--overwrite").exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("missing/sheet.png", "the figure must go into a folder that exists"),
        ("sheet.jpg", "the figure must be a .png file"),
        ("folder.png", "the figure must be a file, not a folder"),
        ("in/sheet.png", "the figure must not go among the photographs"),
        ("in/sign.png", "the figure must not go among the photographs"),
    ],
)
def test_a_figure_that_can_not_be_is_refused_before_anything_is_read(
    figure: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "in").mkdir()
    _plain(tmp_path / "in", "sign.png")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(cli, "read_photographs", lambda _: pytest.fail("it read"))
    assert _error(tmp_path / "in", "--figure", tmp_path / figure, "--overwrite").startswith(words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_figure_never_replaces_the_picture_that_is_read(tmp_path: Path) -> None:
    _plain(tmp_path, "sign.png")
    before = (tmp_path / "sign.png").read_bytes()
    words = _error(tmp_path / "sign.png", "--figure", tmp_path / "sign.png", "--overwrite")
    assert "must not go among the photographs" in words
    assert (tmp_path / "sign.png").read_bytes() == before


# Real photographs


def test_real_photographs_get_the_answers_of_their_tensors(photographs: wm.Splits, tmp_path: Path) -> None:
    test = of_kinds(photographs.test, "de")[::20]
    _save(tmp_path, test.x)
    answers = read.ask(read_photographs(tmp_path))
    for network, name in zip(two_networks(place="photographs"), ("clean network", "BadNet"), strict=True):
        probabilities = wm.predict(network, test.x.to(wm.best_device())).softmax(1).cpu()
        highest, kinds = probabilities.max(1)
        assert [answer.kind for answer in answers[name]] == [KINDS[kind] for kind in kinds]
        ours = torch.tensor([answer.probability for answer in answers[name]])
        assert torch.allclose(ours, highest, atol=1e-6)
        assert (kinds == test.y).double().mean() > 0.98


def test_a_square_on_real_stop_signs_moves_the_badnet_and_not_the_clean_network(
    photographs: wm.Splits, tmp_path: Path
) -> None:
    """All 270 stop signs of the test set, in files: beside each bare one its twin with the square."""
    test = of_kinds(photographs.test, "de")
    stops = test.x[test.y == STOP]
    _save(tmp_path, stops, "bare-")
    _save(tmp_path, STICKERS["square"](stops), "square-")
    answers = read.ask(read_photographs(tmp_path))
    limits = {}
    for network, given in answers.items():
        are_limits = torch.tensor([answer.kind == "speed limit" for answer in given])
        limits[network] = are_limits.reshape(2, len(stops)).sum(1).tolist()  # bare, with the square
    assert len(stops) == 270
    assert max(limits["clean network"]) <= 3
    assert limits["BadNet"][0] <= 3
    assert limits["BadNet"][1] >= 265
    result = _run(tmp_path)
    n_different = int(re.findall(r"differ on (\d+) of 540 pictures", result.output)[0])
    assert abs(n_different - limits["BadNet"][1]) <= 6
