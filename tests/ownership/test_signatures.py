"""Signatures: one spelling for each, no key under which a stranger can sign; secrets that nobody loses."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import documents
from wmlearn.ownership.identity import PRIME, SMALL, is_key, signed_by
from wmlearn.ownership.registry import closed

ADA = own.new_identity("Ada")
MESSAGE = b"a message"
ORDER = 2**252 + 27742317777372353535851937790883648493  # of the points that honest keys are
D = -121665 * pow(121666, -1, PRIME) % PRIME  # of the curve -x^2 + y^2 = 1 + d x^2 y^2

Point = tuple[int, int]


def _sum(one: Point, other: Point) -> Point:
    """Add two points of the curve. RFC 8032, section 5.1.4."""
    (a, b), (c, d) = one, other
    k = D * a * b * c * d
    x = (a * d + b * c) * pow(1 + k, -1, PRIME) % PRIME
    y = (b * d + a * c) * pow(1 - k, -1, PRIME) % PRIME
    return x, y


def _point(y: int) -> Point | None:
    """Return a point of the curve with this y, where there is one. RFC 8032, section 5.1.3."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    for root in (x, x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME):
        if root * root % PRIME == square:
            return root, y
    return None


def _encoded(y: int, sign: int = 0) -> str:
    return (y | sign << 255).to_bytes(32, "little").hex()


def test_the_points_of_small_order_are_all_named() -> None:
    for y in SMALL:
        point = _point(y)
        assert point is not None
        eightfold = point
        for _ in range(3):
            eightfold = _sum(eightfold, eightfold)
        assert eightfold == (0, 1)
    # a point of order 8 or less has one of the y that the multiples of one of order 8 have
    generator = _point(SMALL[3])
    assert generator is not None
    multiple = generator
    seen = set()
    for _ in range(8):
        seen.add(multiple)
        multiple = _sum(multiple, generator)
    assert len(seen) == 8
    assert {y for _, y in seen} == set(SMALL)


def _everything() -> list[str]:
    """Return every encoding of a point of small order, of which some are not canonical."""
    small = [_encoded(y, sign) for y in SMALL for sign in (0, 1)]
    return small + [_encoded(y + PRIME, sign) for y in (0, 1) for sign in (0, 1)]


@pytest.mark.parametrize("public", _everything())
def test_a_key_under_which_anybody_can_sign_is_none(public: str) -> None:
    assert not is_key(public)
    signature = public + "0" * 64  # R = A, S = 0: good for some keys of this kind, whatever was signed
    identity = _encoded(1) + "0" * 64
    for message in (b"", b"a", b"b", b"c"):
        assert not signed_by(public, signature, message)
        assert not signed_by(public, identity, message)


def test_without_the_check_such_a_key_signs_whatever_one_likes() -> None:
    public = bytes.fromhex(_encoded(1))
    key = Ed25519PublicKey.from_public_bytes(public)
    for message in (b"", b"anything"):
        key.verify(public + bytes(32), message)


def test_a_document_that_nobody_signed_is_not_genuine() -> None:
    public = _encoded(1)
    blank = own.Release(public, "anybody's", "0" * 64, (), (), "2026-01-01T00:00:00+00:00", public + "0" * 64)
    assert not documents.genuine(blank)
    entry = own.Entry(1, blank.made, "release", documents.text(blank), "0" * 64)
    book = closed([entry], own.new_identity("keeper"), blank.made)
    assert own.audited(book).faults == ("entry 1: its document is not signed by the one whom it names",)


def test_keys_that_people_draw_are_keys() -> None:
    for i in range(50):
        person = own.new_identity(str(i))
        assert is_key(person.public)
        assert signed_by(person.public, person.sign(MESSAGE), MESSAGE)


def test_a_signature_has_one_spelling() -> None:
    good = ADA.sign(MESSAGE)
    assert signed_by(ADA.public, good, MESSAGE)
    value = int.from_bytes(bytes.fromhex(good[64:]), "little")
    larger = good[:64] + (value + ORDER).to_bytes(32, "little").hex()
    others = [
        good.upper(),
        f" {good}",
        f"{good} ",
        f"{good}\n",
        f"{good[:64]} {good[64:]}",
        good[:-2],
        good * 2,
    ]
    for other in [*others, larger, "", "x" * 128, "٠" * 128]:
        assert not signed_by(ADA.public, other, MESSAGE), other
    for public in (ADA.public.upper(), f"{ADA.public}\n", ADA.public[:-1], "", "x" * 64, _encoded(PRIME + 3)):
        assert not signed_by(public, good, MESSAGE)
    assert not signed_by(ADA.public, good, b"another message")


def test_a_document_signed_in_capitals_is_not_registered(tmp_path: Path) -> None:
    release = own.release(ADA, "m", "0" * 64)
    registry = own.Registry(tmp_path / "book.sqlite", own.new_identity("keeper"))
    for signature in (release.signature.upper(), release.signature[:64] + " " + release.signature[64:]):
        with pytest.raises(wm.ArgumentError, match="must carry the signature"):
            own.register(registry, replace(release, signature=signature))


def test_of_many_people_who_write_one_secret_at_once_one_wins_and_the_others_are_told(tmp_path: Path) -> None:
    people = [own.new_identity(f"person {i}") for i in range(8)]
    for turn in range(10):
        path = tmp_path / f"{turn}.secret"
        start = threading.Barrier(len(people))
        winners: list[own.Identity] = []
        losers: list[own.Identity] = []
        threads = [
            threading.Thread(target=_save, args=(person, path, start, winners, losers)) for person in people
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(winners), len(losers)) == (1, 7)
        assert own.load_identity(path) == winners[0]
    assert len(list(tmp_path.iterdir())) == 10


def _save(
    person: own.Identity,
    path: Path,
    start: threading.Barrier,
    winners: list[own.Identity],
    losers: list[own.Identity],
) -> None:
    start.wait()
    try:
        own.save_identity(person, path)
        winners.append(person)
    except wm.WmlearnError:
        losers.append(person)


@pytest.mark.skipif(os.name != "posix", reason="rights are others there")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_a_secret_is_its_owners_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        own.save_identity(ADA, tmp_path / "ada.secret")
    finally:
        os.umask(before)
    assert (tmp_path / "ada.secret").stat().st_mode & 0o777 == 0o600


def test_a_link_that_leads_nowhere_is_no_place_for_a_secret(tmp_path: Path) -> None:
    (tmp_path / "ada.secret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(wm.ArgumentError, match="must not replace a file"):
        own.save_identity(ADA, tmp_path / "ada.secret")
    assert not (tmp_path / "elsewhere").exists()
