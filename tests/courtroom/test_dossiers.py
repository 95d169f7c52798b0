"""A court in files: what was dealt is read again, nothing leaks, and damage is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import procedures
import pytest
import torch

import wmlearn as wm
from wmlearn import courtroom, ownership
from wmlearn.courtroom import dealing, dossiers, opinions, seals, small_digits
from wmlearn.courtroom.dealing import Dealt, Truth
from wmlearn.evidence import NO_ANSWER, answers


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A folder as it was handed out: whoever sat there before sat elsewhere."""
    return Path(shutil.copytree(written, tmp_path / "ada"))


def test_what_was_written_is_read_again(folder: Path, mixed: tuple[Dealt, ...]) -> None:
    court = dossiers.entered(folder)
    for case in mixed:
        papers = courtroom.papers(court, case.truth.number)
        suspect = courtroom.accused(court, case.truth.number)
        assert papers.book == case.papers.book
        assert papers.claimant.bundle == case.papers.claimant.bundle
        assert torch.equal(papers.x, case.papers.x)
        told = opinions.mark(papers, suspect)
        assert told == opinions.mark(case.papers, case.suspect)
        assert opinions.shown(papers, suspect) == opinions.shown(case.papers, case.suspect)
        if isinstance(suspect, torch.nn.Module):
            assert ownership.fingerprint(suspect) == ownership.fingerprint(case.network)


def test_a_transcript_knows_what_the_court_asks_and_nothing_else(
    folder: Path, mixed: tuple[Dealt, ...]
) -> None:
    service = dossiers.read_service(folder / "case-04")
    x = mixed[3].papers.accused.bundle.x
    assert torch.equal(answers(service, x), answers(mixed[3].network, x))
    strange = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    assert answers(service, strange).tolist() == [NO_ANSWER] * 5


def test_no_transcript_says_how_much_the_court_asks(mixed: tuple[Dealt, ...]) -> None:
    """A void claim, the last one, is asked about less."""
    digits = {dossiers._mark(image) for image in small_digits.test_pictures()}
    for case in (mixed[0], mixed[3]):
        marks = [bytes(row) for row in dossiers._transcript(case)["marks"].tolist()]
        assert len(set(marks)) == dossiers.TRANSCRIPT
        assert marks == sorted(marks)
        assert len(digits & set(marks)) == dossiers.DIGITS


def test_nobody_scores_a_class_but_its_teacher(folder: Path) -> None:
    court = dossiers.entered(folder)
    procedures.never(court)
    for function in (courtroom.score, courtroom.reveal, lambda court: court.expert(1)):
        with pytest.raises(wm.DataError, match="the truth must come from the teacher"):
            function(court)


# No file tells the truth


def test_files_of_a_kind_have_one_size_one_date_and_one_name(folder: Path) -> None:
    sizes: dict[str, set[int]] = {}
    for path in folder.glob("case-*/*"):
        sizes.setdefault(path.name, set()).add(path.stat().st_size)
        assert path.stat().st_mtime == dossiers.DATE
    assert {name: len(each) for name, each in sizes.items()} == dict.fromkeys(sizes, 1)
    listings = {tuple(sorted(path.name for path in place.iterdir())) for place in folder.glob("case-*")}
    assert len(listings) == 2  # networks, and services
    for path in folder.rglob("*.safetensors"):
        head = json.loads(path.read_bytes()[8:].split(b"}}")[0] + b"}}")
        assert "__metadata__" not in head


def test_no_word_of_a_truth_stands_in_a_file(folder: Path) -> None:
    raw = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    words = {"stolen", "truth", "salt", *dealing.STORIES} - {"service"}  # that is public
    for word in words:
        assert f'"{word}"'.encode() not in raw


def test_hashes_tell_nothing() -> None:
    """The first digit of a seal, over 2,000 truths of each kind: their means differ by luck only."""
    digits: dict[bool, list[int]] = {True: [], False: []}
    for stolen, values in digits.items():
        values += [int(seals.opening(Truth(1, stolen, "pruned")).seal[0], 16) for _ in range(2_000)]
    means = [sum(values) / 2_000 for values in digits.values()]
    assert abs(means[0] - means[1]) < 5 * (2 * 21.25 / 2_000) ** 0.5


# Damage


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _emptied(path: Path) -> None:
    path.write_text("{}")


@pytest.mark.parametrize("damage", [_cut, _emptied, Path.unlink])
@pytest.mark.parametrize("name", ["court.json", "case-01/papers.json", "case-01/original.safetensors"])
def test_a_damaged_file_is_named(
    name: str, damage: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    damage(copy / name)
    with pytest.raises(wm.DataError, match=Path(name).name):
        courtroom.papers(dossiers.entered(copy), 1)


def test_a_court_never_replaces_another(folder: Path, mixed: tuple[Dealt, ...]) -> None:
    with pytest.raises(wm.DataError, match="must be a new folder"):
        dossiers.write(mixed, folder, bytes(32))


# Judgements


def test_a_judgement_is_handed_in_and_read(folder: Path, tmp_path: Path) -> None:
    court = dossiers.entered(folder)
    courtroom.papers(court, 2)
    courtroom.rule(court, 2, stolen=True, why="Zoës Gründe")
    path = dossiers.hand_in(court, tmp_path)
    assert path.name == "judgement.json"
    assert dossiers.read_judgement(path, 4) == courtroom.judgement(court)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rulings": [{"number": 1, "stolen": True, "why": 3}]}, "why must be text"),
        ({"rulings": [{"number": 13, "stolen": True, "why": ""}]}, r"a ruling must be on a case of 1\.\.4"),
        ({"rulings": [{"number": 1, "stolen": 1, "why": ""}]}, "stolen must be true or false"),
        ({"rulings": [{"number": 1, "stolen": True, "why": ""}] * 2}, "a case must be ruled on once"),
        ({"rulings": [{"number": 1}]}, "must be a judgement"),
        ({"rulings": "none"}, "must be a judgement"),
        ({"minutes": "ten"}, "minutes and queries must be numbers"),
        ({"version": 9}, "its version must be 1"),
    ],
)
def test_a_judgement_that_is_none_is_refused(change: dict[str, object], says: str, tmp_path: Path) -> None:
    content = {"version": 1, "rulings": [], "minutes": 0, "queries": 0, **change}
    path = tmp_path / "judgement.json"
    path.write_text(json.dumps(content))
    with pytest.raises(wm.DataError, match=says):
        dossiers.read_judgement(path, 4)
