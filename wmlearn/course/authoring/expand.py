"""Fill the tokens of a master's prose: each fact has one home, and the text only points to it.

{value:02.success}     a result, as the executed notebook measured it: "99 %"; {value:02.success|1}: "98.9 %"
                       (after the bar what `Claim.quoted` takes: 1, bare, of, in, 100)
{claim:02.success}     the bound of a claim: "at least 99 %"
{exercise:02.1}        the header box        {hints:02.1}   three folded hints, and where a symptom points to
{solution:02.1}        the folded solution, from the master's own cell, with the wrong turns the check knows
{quiz:02}              the questions of the lesson, with folded answers
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..boxes import box, fold
from ..claims import Claim
from ..exercises import YOUR_TURN, Exercise, find
from ..quizzes import questions

TOKEN = re.compile(r"\{(claim|value|exercise|hints|solution|quiz):([\w.]+)(?:\|(\w+))?\}")
BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
BODY = re.compile(rf"( *){BEGIN}\n(.*?) *{END}\n?", re.DOTALL)


def expand(text: str, claims: Mapping[str, Claim], solutions: Mapping[str, str]) -> str:
    """Replace every token; an unknown id is an error, so prose can't quote a claim that nobody measured."""

    def fill(match: re.Match[str]) -> str:
        kind, id, form = match.groups()
        if kind == "claim":
            return claims[id].bound
        if kind == "value":
            return claims[id].quoted(form or "0")
        if kind == "quiz":
            return questions(id)
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


def hints(exercise: Exercise) -> str:
    """Return the hints, each folded: a question, the plan, the last step; then where a symptom points to."""
    names = ("Hint 1: a question", "Hint 2: the plan", "Hint 3: the last step")
    parts = [fold(name, text) for name, text in zip(names, exercise.hints, strict=True)]
    if exercise.symptoms:
        lines = [f"- *{symptom.sign}* {symptom.advice}" for symptom in exercise.symptoms]
        parts.append(fold("Something looks odd?", "\n".join(lines)))
    return "\n".join(parts)


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
