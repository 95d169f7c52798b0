"""Fill the tokens of a master's prose: each fact has one home, and the text only points to it.

{claim:02.success}     the bound of a claim, as measured by the executed notebook: "at least 99 %"
{exercise:02.1}        the header box        {hints:02.1}   two folded hints
{solution:02.1}        the folded solution, from the master's own cell, with the wrong turns the check knows
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..boxes import box
from ..claims import Claim
from ..exercises import YOUR_TURN, Exercise, find

TOKEN = re.compile(r"\{(claim|exercise|hints|solution):([\w.]+)\}")
BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
BODY = re.compile(rf"( *){BEGIN}\n(.*?) *{END}\n?", re.DOTALL)


def expand(text: str, claims: Mapping[str, Claim], solutions: Mapping[str, str]) -> str:
    """Replace every token; an unknown id is an error, so prose can't quote a claim that nobody measured."""

    def fill(match: re.Match[str]) -> str:
        kind, id = match.groups()
        if kind == "claim":
            return claims[id].bound
        if kind == "solution":
            return solution(find(id), solutions[id])
        return header(find(id)) if kind == "exercise" else hints(find(id))

    return TOKEN.sub(fill, text)


def header(exercise: Exercise) -> str:
    """Return the box above an exercise."""
    facts = [
        f"difficulty {_dots(exercise.difficulty)}",
        f"importance {_dots(exercise.importance)}",
        f"about {exercise.minutes} minutes",
    ]
    return box("task", f"Exercise {exercise.id} · {exercise.title}", " &ensp; ".join(facts))


def _dots(n: int) -> str:
    return "".join("●" if i < n else "○" for i in range(5))


def fold(title: str, text: str) -> str:
    """Return a closed `<details>`; the blank lines let Markdown work inside."""
    style = "margin: 4px 0 10px 18px;"
    return f'<details><summary>{title}</summary><div style="{style}">\n\n{text}\n\n</div></details>'


def hints(exercise: Exercise) -> str:
    """Return the hints, a question first and the steps second, each folded."""
    question, steps = exercise.hints
    return fold("Hint 1: a question", question) + "\n" + fold("Hint 2: the steps", steps)


def solution(exercise: Exercise, code: str) -> str:
    """Return the folded solution, why it is one, and the wrong turns."""
    turns = "\n".join(f"- {mistake.says}" for mistake in exercise.mistakes)
    parts = [
        f"```python\n{code}\n```",
        f"**Why:** {exercise.why}",
        "The usual wrong turns, and what the check says to each:",
        turns,
    ]
    return fold("Solution, and how it goes wrong", "\n\n".join(parts))


def solved(code: str) -> str:
    """Drop the markers, keep what stands between them."""
    return BODY.sub(r"\2", code).strip("\n")


def unsolved(code: str) -> str:
    """Put one honest line where the solution stood."""
    return BODY.sub(rf'\1raise NotImplementedError("{YOUR_TURN}")\n', code).strip("\n")
