"""What an owner or a judge may sign and nobody would: the other side gets a finding or one clear line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import documents, stages
from wmlearn.ownership.documents import digest, signed
from wmlearn.ownership.stages import Stage

BIG = (0, 1, 2, 3, 2**31, 2**32, 2**53 - 1, 2**53, 2**62, 2**63, 2**64, 10**19, 10**50, 10**310, 10**400)
TIMES = (
    "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "20260101T000000Z",
    "2026-01-01T00:00:00-00:00", "2026-W01-1T00:00:00+00:00",
)  # fmt: skip
COMMITMENT: dict[str, tuple[Any, ...]] = {
    "classes": BIG,
    "n": (1, 2, 3, 99, 101, 128, 129, 9999, 10_000),
    "shape": (
        (1, 8, 9), (1, 1, 64), (64, 1, 1), (10**6,) * 3, (1, 2**31, 1), (1, 2**63, 1), (1, 10**50, 1),
        (2**53 - 1, 2**53 - 1, 1), (3, 8, 8),
    ),
    "scheme": ("", "uchida2017", "x" * 10**6, "\x1b[2J", "adi2018 ", "\u202e"),
    "serial": ("x" * 10**6, "\0"),
    "made": TIMES,
}  # fmt: skip
CHALLENGE: dict[str, tuple[Any, ...]] = {
    "count": BIG[1:],
    "spent": ((), (-1,), (10**400,), tuple(range(100)), tuple(range(99)), (2**53 - 1,)),
    "suspects": (("",), ("m",) * 1000, ("model sha256:" + "0" * 64,), ("\x1b[2J",)),
    "nonce": ("0" * 64, "f" * 64),
    "level": (5e-324, 1e-300, 1 - 1e-16, 0.5),
    "queries": BIG,
    "made": TIMES,
}


@pytest.fixture(scope="module")
def stage() -> Stage:
    return stages.toy_stage(own.new_identity("Ada"))


def _values(table: dict[str, tuple[Any, ...]]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: st.sampled_from(values) for name, values in table.items()}
    one = st.sampled_from(sorted(table)).flatmap(lambda name: st.fixed_dictionaries({name: fields[name]}))
    return one | st.fixed_dictionaries({}, optional=fields)


def _try(stage: Stage, n: int) -> None:
    question = stages.asked(stage, stages.booked(stage), stage.commitment, {"model": stage.model})
    answer = stages.answered(stage, stage.owner, question)

    @given(promised=_values(COMMITMENT), asked=_values(CHALLENGE))
    def is_answered(promised: dict[str, Any], asked: dict[str, Any]) -> None:
        try:
            promise = signed(replace(stage.commitment, **promised), stage.owner)
            named: dict[str, Any] = {"commitment": digest(promise), **asked}
            challenge = signed(replace(question.challenge, **named), stage.judge)
            book = own.chained([promise, challenge], keeper=stage.keeper)
        except wm.WmlearnError:  # it can't even be written
            return
        papers = [own.receipt(book, stage.keeper, number) for number in (1, 2)]
        bundle = signed(replace(answer, promise=papers[0], question=papers[1]), stage.owner)
        assert documents.parse(documents.text(bundle), own.Bundle) == bundle
        assert own.faults(bundle)
        case = own.Case({"model": stage.model}, book, stage.judge.public)
        assert own.verify(case, challenge, bundle).void
        with pytest.raises(wm.WmlearnError):
            own.respond(stage.judge, *papers, judge=stage.judge.public, book=book)

    settings(max_examples=n)(is_answered)()


def test_a_hostile_signature_is_answered(stage: Stage) -> None:
    _try(stage, 40)


@pytest.mark.slow
def test_966_hostile_signatures_are_answered(stage: Stage) -> None:
    _try(stage, 966)


@pytest.mark.parametrize("classes", [0, 2**63, 2**64, 10**400])
def test_labels_are_drawn_below_what_int64_holds(classes: int) -> None:
    with pytest.raises(wm.ArgumentError, match=r"below must lie in 1\.\.2\^63 - 1"):
        wm.watermarks.secret.integers(bytes(32), "labels", 3, classes)
