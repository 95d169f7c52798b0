"""A court on disk: what a learner gets, in files that tell nothing but what they say.

Every file of a kind has one length, one date and one order, whatever the truth: papers are filled up with
blanks, numbers are never compressed. Of a service there is a transcript: what it answered to the pictures
that the court can ask about. The truths lie in an envelope under the teacher's key, and a seal stands beside
each case.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from ..data import files, strict_json
from ..errors import DataError, WmlearnError, require
from ..evidence import NO_ANSWER, Suspect, answers
from ..ownership import Book, Bundle, Challenge, Entry, verify
from ..ownership.documents import Document, canonical, parse, text
from ..ownership.registry import Head
from ..watermarks.adi import abstract
from . import small_digits
from .dealing import SIZES, Dealt
from .desks import DeskFile, read_ruling
from .filings import Filing, Licence, Papers
from .opinions import Opinion, hearing
from .seals import Opening, opening, sealed
from .sittings import Court, Judgement, SealedCase, judgement, listed_case

VERSION = 1
COURT = "court.json"
DESK = "desk.json"
JUDGEMENT = "judgement.json"
PAPERS_SIZE = 2**18
"""Bytes: a case's papers have a third of it."""
TRANSCRIPT = 1_500
"""Pictures whose answers a service's transcript holds."""
DIGITS = 800
"""Test digits among them; the court asks about 700 pictures at most."""
DATE = 1_772_442_000
"""When all files were written, in seconds: the day on which all documents are dated."""
MOST_BYTES = 2**22
GREYS = 15
"""Pictures are looked up by their greys, so rounded that no machine's last digit matters."""
DAMAGED = "Take the folder anew from whoever handed it out."
FILES = ("papers.json", "shown.safetensors", "original.safetensors")


def write(cases: Sequence[Dealt], folder: Path, key: bytes) -> tuple[Opening, ...]:
    """Write what a learner gets into a new folder, whose truths only the `key` opens; return the openings.

    Raises `DataError` where the folder is there already.
    """
    if folder.exists():
        raise DataError(f"{folder} must be a new folder, got one that is there. Name another.")
    openings = tuple(opening(each.truth) for each in cases)
    for case in cases:
        _write_case(case, folder / _name(case.truth.number))
    listed = [asdict(listed_case(case, each.seal)) for case, each in zip(cases, openings, strict=True)]
    content = {"version": VERSION, "cases": listed, "envelope": sealed(openings, key).hex()}
    files.write(folder / COURT, canonical(content))
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (DATE, DATE))
    return openings


def _name(number: int) -> str:
    return f"case-{number:02}"


def _write_case(case: Dealt, folder: Path) -> None:
    papers = case.papers
    folder.mkdir(parents=True)
    content = canonical(_content(papers))
    assert len(content) <= PAPERS_SIZE
    files.write(folder / "papers.json", content.ljust(PAPERS_SIZE))
    files.write(folder / "shown.safetensors", save_tensors({"x": papers.x.contiguous(), "y": papers.y}))
    _write_network(papers.original, folder / "original.safetensors")
    if case.service:
        files.write(folder / "transcript.safetensors", save_tensors(_transcript(case)))
    else:
        _write_network(case.network, folder / "accused.safetensors")


def _write_network(network: nn.Module, path: Path) -> None:
    weights = {name: value.detach().contiguous().clone() for name, value in network.state_dict().items()}
    files.write(path, save_tensors(weights))


def _content(papers: Papers) -> dict[str, Any]:
    book = papers.book
    return {
        "version": VERSION,
        "keeper": book.keeper,
        "entries": [asdict(entry) for entry in book.entries],
        "head": text(book.head),
        "judge": papers.judge,
        "released": papers.released,
        "claimant": _filed(papers.claimant),
        "accused": _filed(papers.accused),
        "licences": [text(each) for each in papers.licences],
    }


def _filed(filing: Filing) -> dict[str, str]:
    documents: dict[str, Document] = {"challenge": filing.challenge, "bundle": filing.bundle}
    return {"name": filing.name, "by": filing.by, **{name: text(each) for name, each in documents.items()}}


def _transcript(case: Dealt) -> dict[str, Tensor]:
    """Ask a service about all that the court can ask: the pictures shown, what both sides open, the judge's
    decoys; about test digits; and about pictures of nobody's, until there are as many as always.

    A void claim is asked about less: neither the number of digits nor the order of the pictures says so.
    """
    asked = [case.papers.x]

    def service(x: Tensor) -> Tensor:
        asked.append(x)
        return answers(case.network, x)

    papers = case.papers
    for filing in (papers.claimant, papers.accused):
        verify(hearing(papers, service), filing.challenge, filing.bundle)
        asked.append(filing.bundle.x)
    nobodys = abstract(secrets.token_bytes(32), TRANSCRIPT, small_digits.SHAPE)
    pictures: dict[bytes, Tensor] = {}
    for image in torch.cat([*asked, small_digits.test_pictures()[:DIGITS], nobodys]):
        pictures.setdefault(_mark(image), image)
    marks = sorted(list(pictures)[:TRANSCRIPT])
    x = torch.stack([pictures[mark] for mark in marks])
    return {
        "marks": torch.tensor([list(mark) for mark in marks], dtype=torch.uint8),  # (N, 16)
        "labels": answers(case.network, x),
    }


def _mark(image: Tensor) -> bytes:
    """Return the 16 bytes by which a picture (C, H, W) is looked up."""
    greys = (image * GREYS).round().to(torch.uint8)
    return hashlib.sha256(greys.contiguous().numpy().tobytes()).digest()[:16]


# What a learner reads


def entered(folder: Path | str) -> Court:
    """Open a sitting over a folder that a teacher has handed out, or go on with it: what was done is kept
    there in desk.json. Nobody there can score it.

    Raises `DataError` for a folder that is damaged, or none. A damaged desk is set aside with
    `SetAsideWarning`, and a new one begun.
    """
    folder = Path(folder)
    cases = listing(folder)
    court = hashlib.sha256(" ".join(case.seal for case in cases).encode()).hexdigest()
    drawer = DeskFile(folder / DESK, len(cases), court)
    drawer.mend()

    def archive(number: int) -> Papers:
        return read_papers(folder / _name(number))

    def bailiff(number: int) -> Suspect:
        place = folder / _name(number)
        if cases[number - 1].service:
            return read_service(place)
        return read_network(place / "accused.safetensors")

    return Court(cases, drawer, archive, bailiff, _nobody, _no_expert)


def listing(folder: Path) -> tuple[SealedCase, ...]:
    """Read what everybody knows of the cases of a folder; raise `DataError` where it is damaged, or none."""
    content = _parsed(folder / COURT)
    try:
        require(content["version"] == VERSION, f"its version must be {VERSION}", content["version"])
        cases = tuple(_listed(part) for part in content["cases"])
        require(len(cases) in SIZES, "it must list 12 cases, or 4", len(cases))
        numbers = [case.number for case in cases]
        require(numbers == list(range(1, 1 + len(cases))), "its cases must be numbered from 1", numbers)
    except (KeyError, TypeError, WmlearnError) as error:
        raise DataError(f"{folder / COURT} must be a court's, got: {error}. {DAMAGED}") from error
    return cases


def _nobody() -> tuple[Opening, ...]:
    raise DataError("the truth must come from the teacher, got none here. Hand in your judgement.")


def _no_expert(number: int) -> tuple[Opinion, ...]:
    del number
    _nobody()
    return ()


def _listed(part: Mapping[str, Any]) -> SealedCase:
    case = SealedCase(**part)
    good = type(case.number) is int and type(case.service) is bool
    words = all(isinstance(each, str) for each in (case.claimant, case.accused, case.seal))
    require(good and words, "a case must have a number, two names, a kind and a seal", sorted(part))
    return case


def envelope(folder: Path) -> bytes:
    """Read the sealed truths of a folder; raise `DataError` where they are damaged."""
    try:
        return bytes.fromhex(_parsed(folder / COURT)["envelope"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder / COURT} must hold an envelope, got: {error}. {DAMAGED}") from error


def seals(folder: Path) -> list[str]:
    """Return the seals of a folder's cases, in their order."""
    return [case.seal for case in listing(folder)]


def _parsed(path: Path) -> dict[str, Any]:
    raw = files.read(path, most=MOST_BYTES, fix=DAMAGED)
    try:
        content = strict_json.parsed(raw.rstrip())
    except (DataError, ValueError) as error:
        raise DataError(f"{path} must be whole, got: {str(error).rstrip('.')}. {DAMAGED}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} must hold an object, got a {type(content).__name__}. {DAMAGED}")
    return content


def read_papers(folder: Path) -> Papers:
    """Read the papers of a case; raise `DataError` where a file is damaged."""
    path = folder / "papers.json"
    content = _parsed(path)
    try:
        entries = tuple(Entry(**each) for each in content["entries"])
        pictures = _tensors(folder / "shown.safetensors", ("x", "y"))
        return Papers(
            book=Book(content["keeper"], entries, parse(content["head"], Head)),
            judge=content["judge"],
            original=read_network(folder / "original.safetensors"),
            released=content["released"],
            claimant=_filing(content["claimant"]),
            accused=_filing(content["accused"]),
            licences=tuple(parse(each, Licence) for each in content["licences"]),
            x=pictures["x"],
            y=pictures["y"],
        )
    except (KeyError, TypeError, AttributeError, WmlearnError) as error:
        raise DataError(f"{path} must hold the papers of a case, got: {error}. {DAMAGED}") from error


def _filing(part: Mapping[str, str]) -> Filing:
    challenge = parse(part["challenge"], Challenge)
    return Filing(part["name"], part["by"], challenge, parse(part["bundle"], Bundle))


def read_network(path: Path) -> nn.Module:
    """Read a network of the court's kind; raise `DataError` for anything else."""
    network = copy.deepcopy(small_digits.blank())
    try:
        network.load_state_dict(_tensors(path, tuple(network.state_dict())))
    except RuntimeError as error:
        what = str(error).splitlines()[0]
        raise DataError(f"{path} must be a network of this court, got: {what}. {DAMAGED}") from error
    return network.eval()


def read_service(folder: Path) -> Suspect:
    """Return what a transcript says of a service: labels (N,) of pictures (N, 1, 28, 28), `NO_ANSWER` of
    those that the court didn't ask about.
    """
    tensors = _tensors(folder / "transcript.safetensors", ("marks", "labels"))
    marks = [bytes(row) for row in tensors["marks"].tolist()]
    known = dict(zip(marks, tensors["labels"].tolist(), strict=True))
    return _looked_up(known)


def _looked_up(known: Mapping[bytes, int]) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.tensor([known.get(_mark(image), NO_ANSWER) for image in x])


def _tensors(path: Path, names: Sequence[str]) -> dict[str, Tensor]:
    raw = files.read(path, most=MOST_BYTES, fix=DAMAGED)
    try:
        tensors = load_tensors(raw)
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{path} must hold tensors, got: {error}. {DAMAGED}") from error
    if set(tensors) != set(names):
        got = ", ".join(sorted(tensors))
        raise DataError(f"{path} must hold {', '.join(names)}, got {got}. {DAMAGED}")
    return tensors


# What a learner hands in


def hand_in(court: Court, folder: Path | str) -> Path:
    """Write the judgement to judgement.json in a folder: that file is handed in."""
    path = Path(folder) / JUDGEMENT
    content = {"version": VERSION, **asdict(judgement(court))}
    files.write(path, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")
    return path


def read_judgement(path: Path, n: int) -> Judgement:
    """Read a judgement over `n` cases; raise `DataError` for anything else, such as a ruling on no case."""
    content = _parsed(path)
    fix = "Write it with courtroom.dossiers.hand_in(court, folder)."
    try:
        require(content["version"] == VERSION, f"its version must be {VERSION}", content["version"])
        rulings = tuple(read_ruling(part, n) for part in content["rulings"])
        numbers = [ruling.number for ruling in rulings]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        require(not twice, "a case must be ruled on once", f"two rulings on {twice}")
        spent = [content[name] for name in ("minutes", "queries")]
        require(all(type(each) is int for each in spent), "minutes and queries must be numbers", spent)
    except (KeyError, TypeError, WmlearnError) as error:
        raise DataError(f"{path.name} must be a judgement, got: {error}. {fix}") from error
    return Judgement(rulings, *spent)
