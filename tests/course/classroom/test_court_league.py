"""A court for a class: everybody gets cases, judgements are scored, and what is no judgement is named."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wmlearn import courtroom
from wmlearn.cli.app import app
from wmlearn.course.classroom import court
from wmlearn.courtroom import dealing, dossiers, filings, small_digits
from wmlearn.courtroom.dealing import Dealt, Networks, Plan, Truth
from wmlearn.courtroom.sittings import Ruling
from wmlearn.errors import ArgumentError, DataError
from wmlearn.watermarks.secret import secret_of

NAMES = "Ada\nBen Ng\nZoë  Müller/Ng\nМарія\n"


@pytest.fixture(scope="module")
def deck() -> tuple[Dealt, ...]:
    """Four cases over one pair of networks that have learnt nothing, of which two are said to be thefts."""
    people = filings.bar(secret_of(1601, None), "Ada", "Bela")
    roles = ("claimant", "accused")
    networks = Networks(*(small_digits.plain(small_digits.start(people.secret, role)) for role in roles))
    papers = dealing.papers_of(people, Plan("independent"), networks)
    kinds = ("pruned", "distilled", "independent", "insider")
    truths = [Truth(i + 1, i < 2, kind) for i, kind in enumerate(kinds)]
    return tuple(Dealt(truth, False, networks.accused, papers) for truth in truths)


@pytest.fixture
def course(deck: tuple[Dealt, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A class of four with a court."""
    monkeypatch.setattr(court, "dealt", lambda secret, n: deck)
    (tmp_path / "names.txt").write_text(NAMES, encoding="utf-8")
    said = command(tmp_path / "class", "--students", tmp_path / "names.txt", "--cases", 4)
    assert "4 folders in" in said
    return tmp_path / "class"


def command(*words: object, code: int = 0) -> str:
    """Run `wmlearn classroom court …`, and return what it says."""
    result = CliRunner().invoke(app, ["classroom", "court", *map(str, words)])
    assert result.exit_code == code, result.output
    return f"{result.output} {result.exception}"


def _hand_in(course: Path, student: str, folder: Path, *, wrong: int = 0) -> None:
    """Judge as the truth is, but for the first `wrong` thieves, who are missed."""
    sitting = dossiers.entered(course / "court" / student)
    for truth in court.truths(course, student):
        miss = truth.stolen and wrong > 0
        wrong -= miss
        courtroom.rule(sitting, truth.number, stolen=truth.stolen and not miss)
    folder.mkdir(parents=True)
    dossiers.hand_in(sitting, folder)


def test_everybody_gets_a_folder_and_only_the_teacher_the_key(course: Path) -> None:
    folders = sorted(path.name for path in (course / "court").iterdir())
    assert folders == sorted(["ada", "ben-ng", "zoë-müller-ng", "марія"])
    assert stat.S_IMODE((course / "court.key").stat().st_mode) == 0o600
    key = (course / "court.key").read_bytes().strip()
    for path in (course / "court").rglob("*"):
        assert not path.is_file() or key not in path.read_bytes()
    orders = [[truth.kind for truth in court.truths(course, student)] for student in folders]
    assert len({tuple(each) for each in orders}) > 1


def test_the_league_counts_what_was_handed_in_and_names_what_was_not(course: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hand-ins"
    _hand_in(course, "ada", folder / "Ada", wrong=1)
    _hand_in(course, "zoë-müller-ng", folder / "Zoë Müller Ng_4711")
    (folder / "ben-ng.json").write_text(json.dumps({"version": 1, "rulings": [{"number": 9}]}))
    (folder / "!!!").mkdir()
    (folder / "!!!" / "judgement.json").write_text("{}")
    lines = court.judged(course, folder, {"ada": "Ada"})
    scores = {line.student: line.score.points for line in lines if line.score}
    assert list(scores.items()) == [("zoë-müller-ng", 4), ("Ada", 3)]
    problems = {line.student: line.problem for line in lines if line.problem}
    assert problems["марія"] == "nothing was handed in"
    assert problems["!!!"] == "not on the class list"
    assert "must be a judgement" in problems["ben-ng"]
    said = command(course, "--students", tmp_path / "names.txt", "--hand-ins", folder)
    assert "NOT SCORED: Марія: nothing was handed in" in said
    page = (course / "court.html").read_text(encoding="utf-8")
    assert "Zoë  Müller/Ng" in page
    assert "<script" not in page


def test_two_judgements_of_one_student_are_not_scored(course: Path, tmp_path: Path) -> None:
    for name in ("ada", "ada_2"):
        _hand_in(course, "ada", tmp_path / "in" / name)
    line = next(line for line in court.judged(course, tmp_path / "in", {}) if line.student == "ada")
    assert line.problem == "2 judgements were handed in"


def test_a_court_is_dealt_once(course: Path, tmp_path: Path) -> None:
    said = command(course, "--students", tmp_path / "names.txt", code=1)
    assert "must not be there yet" in said


def test_odd_names_and_no_names_are_refused_before_anything_is_dealt(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    for text, says in (("…!\n", "must hold a letter or a digit"), ("Ada\nada\n", "differ in letters")):
        names.write_text(text, encoding="utf-8")
        assert says in command(tmp_path / "class", "--students", names, code=1)
    with pytest.raises(ArgumentError, match="a class must have students"):
        court.hand_out(tmp_path / "class", {})
    assert not (tmp_path / "class" / "court").exists()


def test_a_deal_that_fails_leaves_nothing_behind(
    deck: tuple[Dealt, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(court, "dealt", lambda secret, n: deck)
    monkeypatch.setattr(dossiers, "write", _full)
    with pytest.raises(OSError, match="No space"):
        court.hand_out(tmp_path, {"ada": "Ada"}, n=4)
    assert list(tmp_path.iterdir()) == []


def _full(cases: object, folder: Path, key: bytes) -> None:
    folder.mkdir(parents=True)
    raise OSError(28, "No space left on device")


def test_a_damaged_seal_key_or_envelope_is_named(course: Path) -> None:
    path = course / "court" / "ada" / "court.json"
    content = json.loads(path.read_text())
    seal = content["cases"][0]["seal"]
    content["cases"][0]["seal"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="the opening of case 1 must fit its seal"):
        court.truths(course, "ada")
    content["cases"][0]["seal"] = seal
    content["envelope"] = "00" + content["envelope"][2:]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="the envelope must be whole"):
        court.truths(course, "ada")
    for text, says in (("zz", "must be a court's key"), ("00", "a court's key of 32 bytes, got 1")):
        (course / "court.key").write_text(text)
        with pytest.raises(DataError, match=says):
            court.truths(course, "ada")


def test_equal_points_stand_by_minutes() -> None:
    one = court.Standing("slow", court.Score(4, 0, 0), minutes=120)
    two = court.Standing("quick", court.Score(4, 0, 0), minutes=60)
    rows = list(court.told(sorted([one, two], key=court._rank)))
    assert rows[0].index("quick") < rows[0].index("slow")
    assert Ruling(1, True).why == ""
