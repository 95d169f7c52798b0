"""What others published comes with a source and a trust, and the tables of one paper fit each other."""

from __future__ import annotations

from wmlearn import watermarks
from wmlearn.data.signs.street import KINDS
from wmlearn.experiments import published
from wmlearn.experiments.published import Published
from wmlearn.experiments.street import STICKERS
from wmlearn.experiments.transfer import STRENGTHS


def _all() -> list[Published]:
    single = [value for value in vars(published).values() if isinstance(value, Published)]
    return [*single, *published.MARKS.values()]


def test_every_number_names_its_source_and_how_far_to_trust_it() -> None:
    assert len(_all()) > 10
    for number in _all():
        assert number.says
        assert number.source
        assert number.trust in ("read", "reported", "recollected")


def test_paper_and_repository_speak_of_the_same_networks_and_signs() -> None:
    assert list(published.PAPER) == list(published.REPOSITORY) == ["baseline", *STICKERS]
    for name, table in published.PAPER.items():
        assert tuple(table)[:3] == KINDS
        assert table.keys() == published.REPOSITORY[name].keys()
        assert (published.STOP_READ_AS_LIMIT in table) is (name != "baseline")


def test_the_papers_strengths_are_those_that_are_measured() -> None:
    assert tuple(published.TRANSFER) == STRENGTHS


def test_marks_are_named_as_the_schemes_of_the_course() -> None:
    assert published.MARKS.keys() <= watermarks.ALL.keys()
