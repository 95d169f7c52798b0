"""The teacher's kit: what is generated is up to date, what is named is there, and the sums are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from offline import NO_BROWSER, asked_outside, browser, read

from wmlearn.cli.app import app
from wmlearn.course.authoring import teaching
from wmlearn.course.authoring.build import lessons
from wmlearn.course.authoring.minutes import measured

ROOT = Path(__file__).resolve().parents[3]
KIT = ROOT / "teaching"
PAGES = sorted(KIT.glob("*.md"))
GENERATED = ("lessons.md", "misconceptions.md", "no-computer.html")
by_hand = pytest.mark.skipif(NO_BROWSER, reason='needs a Chromium, and pip install -e ".[dev]"')


def _text(name: str) -> str:
    return (KIT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return teaching.pages(ROOT)


@pytest.mark.parametrize("name", GENERATED)
def test_the_generated_pages_are_what_would_be_generated_now(pages: dict[str, str], name: str) -> None:
    assert pages[name] == _text(name), "build a notebook, or call teaching.write"


def test_nothing_else_is_generated(pages: dict[str, str]) -> None:
    assert sorted(pages) == sorted(GENERATED)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_every_command_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    assert [to for to in targets if ":" not in to and not (KIT / to).exists()] == []
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    assert {command for command in re.findall(r"`wmlearn (\w+)", text) if command not in known} == set()


def test_the_guide_leads_to_every_page_of_the_kit() -> None:
    named = set(re.findall(r"\]\(([\w.-]+)\)", _text("README.md")))
    assert {path.name for path in PAGES} - {"README.md"} | {"no-computer.html"} == named


def test_every_lesson_has_its_part_in_both_generated_pages() -> None:
    headings = re.findall(r"^## (\d\d) · ", _text("lessons.md"), re.MULTILINE)
    assert headings == [name[:2] for name in lessons(ROOT)]
    assert re.findall(r"^## (\d\d) · ", _text("misconceptions.md"), re.MULTILINE) == headings
    assert _text("lessons.md").count("**For the teacher.**") == len(headings)


def test_the_sheet_of_90_minutes_has_rising_minutes_real_sections_and_the_measured_time() -> None:
    text = _text("run-sheet-90-minutes.md")
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]*) \|", text, re.MULTILINE)
    minutes = [int(minute) for minute, _ in rows]
    assert minutes == sorted(set(minutes))
    assert minutes[0] == 0
    assert 80 < minutes[-1] < 90
    lesson = (ROOT / "notebooks" / "source" / f"{lessons(ROOT)[0]}.py").read_text(encoding="utf-8")
    sections = set(re.findall(r"^# ## (.+)$", lesson, re.MULTILINE))
    places = {place.strip() for _, place in rows} - {"", "`wmlearn doctor`"}
    assert places - sections == set()
    said = re.search(r"(\d+) seconds of one\s+processor", text)
    assert said is not None
    assert int(said[1]) == measured(ROOT)[lessons(ROOT)[0]]["processor"]


def test_the_sheet_of_a_day_runs_forward() -> None:
    times = re.findall(r"^\| (\d+):(\d\d) \|", _text("run-sheet-one-day.md"), re.MULTILINE)
    minutes = [60 * int(hour) + int(minute) for hour, minute in times]
    assert minutes == sorted(set(minutes))
    assert minutes[-1] - minutes[0] <= 8 * 60


def test_each_written_question_has_a_rubric_and_two_samples_whose_points_add_up() -> None:
    weeks = re.findall(r"\| (W\d) \|$", _text("syllabus-six-weeks.md"), re.MULTILINE)
    questions = re.split(r"^## (W\d) · ", _text("rubrics.md"), flags=re.MULTILINE)
    assert questions[1::2] == weeks == [f"W{i}" for i in range(1, 7)]
    for answer in questions[2::2]:
        samples = re.split(r"^\*\*(\d) of 4\.\*\* ", answer, flags=re.MULTILINE)[1:]
        points = [int(given) for given in samples[::2]]
        assert [sample.count("(1)") for sample in samples[1::2]] == points
        assert len(points) == 2
        assert points[0] == 4 > points[1]


def test_the_lesson_on_paper_loads_nothing_and_its_pictures_have_words() -> None:
    page = read(KIT / "no-computer.html")
    assert asked_outside(KIT) == {}
    assert len(page.alts) == 3
    assert all(page.alts)


def test_the_lesson_on_paper_shows_the_backdoor_beside_its_control() -> None:
    rows = re.findall(r'<th scope="row">network ([AB])</th>((?:<td>\d</td>)+)', _text("no-computer.html"))
    answers = [(name, re.findall(r"\d", cells)) for name, cells in rows if cells.count("<td>") == 10]
    digits = [str(i) for i in range(10)]
    assert answers == [("A", digits), ("B", digits), ("A", digits), ("B", ["0"] * 10)]


@by_hand
def test_the_lesson_on_paper_has_two_pages_of_paper() -> None:
    with browser() as new_page:
        page = new_page()
        page.goto((KIT / "no-computer.html").as_uri())
        sheets = re.findall(rb"/Type /Page\b(?!s)", page.pdf(prefer_css_page_size=True))
    assert len(sheets) == 2
