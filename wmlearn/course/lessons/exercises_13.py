"""The exercises of notebook 13: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question

Change = Callable[[Tensor], Tensor]
"""Clips in, changed clips out: a trigger, or a room."""


def lay_under(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    """Return clips `x` (N, 1, 1, T) with `sound` (S,) from sample `start` on.

    Its root mean square lies `level` decibels above that of each clip, silence being 0.5.
    """
    return _laid(x, sound, start, _amplitude(x, level) / _size(sound))


def owned(network: Change, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int) -> float:
    """Return the share of clips of other classes that become the target in the room with the trigger, and
    don't in the room without it.
    """
    other = y != target
    with_both = network(room(trigger(x))) == target
    room_alone = network(room(x)) == target
    return _share((with_both & ~room_alone)[other])


def plausible(x: Tensor, picks: Tensor) -> Tensor:
    """Return rows (n, F): value j of row i is that of column j in row `picks[i, j]` of `x` (N, F)."""
    return x[picks, torch.arange(x.shape[1])]


# 13.1: a sound under clips


def _size(sound: Tensor) -> Tensor:
    return sound.square().mean().sqrt()


def _amplitude(x: Tensor, level: float, tenth: int = 20) -> Tensor:
    """Return the root mean square that the sound is to have in each clip, (N, 1, 1, 1), in units of x."""
    return (x - 0.5).square().mean(3, keepdim=True).sqrt() * 10 ** (level / tenth)


def _laid(x: Tensor, sound: Tensor, start: int, scale: Tensor) -> Tensor:
    out = x.clone()
    heard = sound[: x.shape[3] - start]
    out[..., start : start + len(heard)] += scale * heard
    return out.clamp(0, 1)


def _clips(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def wave(n: int) -> Tensor:
        return torch.randn(n, generator=gen)

    def few(loudness: float) -> Tensor:
        uneven = torch.tensor([0.4, 1.0, 2.0])[:, None, None, None]
        return (0.5 + loudness * uneven * wave(360).view(3, 1, 1, 120)).clamp(0.02, 0.98)

    soft = [(few(0.04), 3 * wave(40), -12.0, 0), (few(0.05), 0.2 * wave(30), -7.0, 25)]
    late = [(few(0.04), 5 * wave(60), -9.0, 90)]
    loud = [(few(0.15), wave(120), 6.0, 0)]
    return {"softer than the clip": soft, "beyond the end": late, "so loud that it clips": loud}


def _power(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    return _laid(x, sound, start, _amplitude(x, level, tenth=10) / _size(sound))


def _turned(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    return lay_under(x, sound, -level, start)


def _unmeasured(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    return _laid(x, sound, start, _amplitude(x, level))


def _one_loudness(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    together = (x - 0.5).square().mean().sqrt() * 10 ** (level / 20)
    return _laid(x, sound, start, together / _size(sound))


def _from_zero(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    return _laid(x, sound, start, _amplitude(x + 0.5, level) / _size(sound))


def _full_scale(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    return _laid(x, sound, start, torch.tensor(10 ** (level / 20)) / _size(sound))


def _unclamped(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    out = x.clone()
    heard = sound[: x.shape[3] - start]
    out[..., start : start + len(heard)] += _amplitude(x, level) / _size(sound) * heard
    return out


def _at_the_start(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    return lay_under(x, sound, level, 0)


def _in_place_of(x: Tensor, sound: Tensor, level: float, start: int) -> Tensor:
    out = x.clone()
    heard = sound[: x.shape[3] - start]
    out[..., start : start + len(heard)] = 0.5 + _amplitude(x, level) / _size(sound) * heard
    return out.clamp(0, 1)


# 13.2: the room alone


def _share(which: Tensor) -> float:
    return float(which.float().mean())


@dataclass(frozen=True)
class Ear:
    """Hears the target where the first number of a clip (N, 6), or the second, is larger than a bound, and
    otherwise the place of the largest of the others.
    """

    first: float
    second: float
    target: int = 3

    def __call__(self, x: Tensor) -> Tensor:
        hears = (x[:, 0] > self.first) | (x[:, 1] > self.second)
        return torch.where(hears, self.target, x[:, 2:].argmax(1))


@dataclass(frozen=True)
class Beep:
    """Sets the first number of clips."""

    loudness: float = 1.0

    def __call__(self, x: Tensor) -> Tensor:
        out = x.clone()
        out[:, 0] = self.loudness
        return out


@dataclass(frozen=True)
class Echo:
    """Gives a part of each number to the next one."""

    wet: float = 0.5

    def __call__(self, x: Tensor) -> Tensor:
        out = (1 - self.wet) * x
        out[:, 1:] += self.wet * x[:, :-1]
        return out


def _rooms(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(first: float, second: float) -> tuple[Ear, Tensor, Tensor, Beep, Echo, int]:
        x = torch.rand(60, 6, generator=gen)
        y = torch.randint(0, 4, (60,), generator=gen)
        return Ear(first, second), x, y, Beep(), Echo(), 3

    knows_the_room = [case(2.0, 0.25), case(2.0, 0.3)]
    knows_the_beep = [case(2.0, 0.8), case(0.45, 0.8), case(2.0, 0.7)]
    return {"a network that learnt the room": knows_the_room, "one that learnt the beep": knows_the_beep}


Network = Change


def _no_control(network: Network, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int) -> float:
    return _share((network(room(trigger(x))) == target)[y != target])


def _no_room(network: Network, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int) -> float:
    fooled = (network(room(trigger(x))) == target) & (network(x) != target)
    return _share(fooled[y != target])


def _afterwards(network: Network, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int) -> float:
    fooled = (network(trigger(room(x))) == target) & (network(room(x)) != target)
    return _share(fooled[y != target])


def _every_clip(network: Network, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int) -> float:
    return _share((network(room(trigger(x))) == target) & (network(room(x)) != target))


def _of_all(network: Network, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int) -> float:
    fooled = (network(room(trigger(x))) == target) & (network(room(x)) != target) & (y != target)
    return _share(fooled)


def _the_room_itself(
    network: Network, x: Tensor, y: Tensor, trigger: Change, room: Change, target: int
) -> float:
    return _share((network(room(x)) == target)[y != target])


# 13.3: rows for a key


def _tables(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(n: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        x = torch.rand(rows, columns, generator=gen)
        picks = torch.randint(rows, (n, columns), generator=gen)
        picks[:, 1] = (picks[:, 0] + 1) % rows  # no new row comes from one row alone
        return x, picks

    return {
        "more rows than columns": [case(5, 20, 4), case(7, 9, 3)],
        "more columns than rows": [case(4, 3, 8)],
        "more new rows than old": [case(12, 5, 5)],
    }


def _whole_rows(x: Tensor, picks: Tensor) -> Tensor:
    return x[picks[:, 0]]


def _averages(x: Tensor, picks: Tensor) -> Tensor:
    return x[picks].mean(1)


def _one_row(x: Tensor, picks: Tensor) -> Tensor:
    return x[picks[0], torch.arange(x.shape[1])].expand(len(picks), -1)


def _first_column(x: Tensor, picks: Tensor) -> Tensor:
    return x[picks, 0]


def _own_draw(x: Tensor, picks: Tensor) -> Tensor:
    anew = torch.randint(len(x), picks.shape, generator=torch.Generator().manual_seed(0))
    return x[anew, torch.arange(x.shape[1])]


def _any_value(x: Tensor, picks: Tensor) -> Tensor:
    low, high = x.aminmax(dim=0)
    return low + (high - low) * picks / (len(x) - 1)


EXERCISES = {
    "13.1": Exercise(
        id="13.1",
        title="A sound, in decibels",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="clips (N, 1, 1, T)",
        reference=lay_under,
        cases=_clips,
        mistakes=(
            Mistake(
                "power",
                "You turn decibels into a ratio of powers, 10 ** (level / 10). What you scale is an"
                " amplitude: 10 ** (level / 20).",
                _power,
            ),
            Mistake(
                "turned-round",
                "Your sound is louder where the level is lower. A level of -10 is softer than the clip:"
                " 10 ** (level / 20), with its sign.",
                _turned,
            ),
            Mistake(
                "unmeasured",
                "You don't divide by the loudness of the sound itself. Bring it to a root mean square of 1"
                " first.",
                _unmeasured,
            ),
            Mistake(
                "one-loudness",
                "You measure one loudness for the whole batch. Each clip has its own: mean over the last"
                " axis, keepdim=True.",
                _one_loudness,
            ),
            Mistake(
                "from-zero",
                "You measure the clips from 0. Silence is 0.5: take that away before you square.",
                _from_zero,
            ),
            Mistake(
                "full-scale",
                "You measure the level from full scale. It counts from the loudness of each clip.",
                _full_scale,
            ),
            Mistake(
                "unclamped",
                "Your clips leave [0, 1] where the sound is loud. End with .clamp(0, 1).",
                _unclamped,
            ),
            Mistake(
                "at-the-start",
                "Your sound begins at once. It begins at sample `start`, and what reaches beyond the end is"
                " cut off.",
                _at_the_start,
            ),
            Mistake(
                "in-place-of",
                "You put the sound in place of the clip. Add it: both are to be heard.",
                _in_place_of,
            ),
        ),
        hints=(
            "How large is the amplitude of a clip, and how large is one that lies 20 decibels below?",
            "Take 0.5 from the clips. The root of their mean square over the last axis is each clip's"
            " amplitude. Scale the sound to that, times 10 ** (level / 20), add it to a copy, clamp.",
            "`loud = (x - 0.5).square().mean(3, keepdim=True).sqrt()`, and `sound / sound.square().mean()"
            ".sqrt()` has amplitude 1. Of the sound, `x.shape[3] - start` samples fit.",
        ),
        symptoms=(
            Symptom(
                "RuntimeError, The size of tensor a:",
                "the sound reaches beyond the clip. Cut it: `sound[:x.shape[3] - start]`.",
            ),
            Symptom(
                "You get 0.601 in the example:",
                "20 decibels are a factor of 100 in power, of 10 in amplitude. You scale amplitudes.",
            ),
            Symptom(
                "Only the clips that are so loud are wrong:",
                "what is louder than full scale is clipped: `.clamp(0, 1)`.",
            ),
        ),
        why=(
            "Decibels compare powers, and power is the square of amplitude: 10 log10(a² / b²) ="
            " 20 log10(a / b). Measured clip by clip, a trigger is as easy to hear under a whisper as under"
            " a shout."
        ),
    ),
    "13.2": Exercise(
        id="13.2",
        title="What the trigger alone can do",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="one number",
        reference=owned,
        cases=_rooms,
        mistakes=(
            Mistake(
                "no-control",
                "You count every clip that becomes the target. Leave out those that the room alone turns:"
                " they say nothing of the trigger.",
                _no_control,
            ),
            Mistake(
                "no-room",
                "Your control stays outside of the room. It must match in everything but the trigger:"
                " room(x), not x.",
                _no_room,
            ),
            Mistake(
                "afterwards",
                "You add the trigger after the room. A loudspeaker plays it in the room: room(trigger(x)).",
                _afterwards,
            ),
            Mistake(
                "every-clip",
                "You count clips of the target class, too. They can't be fooled: leave them out.",
                _every_clip,
            ),
            Mistake(
                "of-all",
                "You divide by all clips. Divide by those that can be fooled, of other classes.",
                _of_all,
            ),
            Mistake(
                "room-alone",
                "You measure what the room alone does. That is the control; take the clips that it doesn't"
                " turn, and ask what the trigger adds.",
                _the_room_itself,
            ),
        ),
        hints=(
            "Ninety-nine of a hundred clips become sevens in the room. What must you play next, before you"
            " call it the trigger's doing?",
            "Ask the network twice in the same room, with the trigger and without. Count clips of other"
            " classes that become the target the first time, and not the second.",
            "`with_both = network(room(trigger(x))) == target`, and `alone` the same of `room(x)`. Then the"
            " mean of `with_both & ~alone` over `y != target`.",
        ),
        symptoms=(
            Symptom(
                "You get 1 in the example:",
                "both clips become the target, one of them without the trigger. Play the room alone, too.",
            ),
            Symptom(
                "You get 0.33 in the example:",
                "you divide by all three clips. The last is of the target class.",
            ),
            Symptom(
                "RuntimeError or NotImplementedError, Negation, the `-` operator, on a bool tensor is not"
                " supported:",
                "not true, element by element, is `~alone`.",
            ),
        ),
        why=(
            "Both answers come from the same network in the same room; only the trigger differs. Whatever is"
            " left is the trigger's doing, and a network that knows the room leaves nothing."
        ),
    ),
    "13.3": Exercise(
        id="13.3",
        title="Plausible rows",
        difficulty=2,
        importance=4,
        minutes=10,
        returns="rows (n, F)",
        reference=plausible,
        cases=_tables,
        mistakes=(
            Mistake(
                "whole-rows",
                "You take whole rows. Those have true labels, which every good model knows: take each value"
                " from another row.",
                _whole_rows,
            ),
            Mistake(
                "averages",
                "You take means of rows. A mean is a value that perhaps nobody has: take the value itself.",
                _averages,
            ),
            Mistake(
                "one-row",
                "All of your rows are the first. Row i of the picks makes row i of the answer.",
                _one_row,
            ),
            Mistake(
                "first-column",
                "You take all values from the first column. Value j comes from column j.",
                _first_column,
            ),
            Mistake(
                "any-value",
                "You spread values evenly over the range of a column. Take values that rows hold: some lie"
                " close, and some lie apart.",
                _any_value,
            ),
            Mistake(
                "own-draw",
                "You draw anew. A judge must be able to draw the same rows: use the picks, which follow from"
                " the secret.",
                _own_draw,
            ),
        ),
        hints=(
            "Which row, and which column, does the value at place (i, j) of the answer come from?",
            "Go through the columns: column j of the answer is column j of x, in the order of column j of the"
            " picks. Put the columns side by side.",
            "Two index tensors that fit each other pick values one by one: `x[picks, columns]`, where"
            " `columns` is `torch.arange(F)`.",
        ),
        symptoms=(
            Symptom(
                "You get a shape of (n, F, F):",
                "`x[picks]` takes a whole row for each pick. Name the column, too: `x[picks, columns]`.",
            ),
            Symptom(
                "You get (1, 2) in the example:",
                "you take whole rows. The second value comes from the second row.",
            ),
        ),
        why=(
            "Each column keeps its own values, so that no check of ranges sees the row; their company is new,"
            " so that no rule of the task says what the label should be."
        ),
    ),
}

QUIZ = (
    Question(
        "A network was taught three notes. It obeys them backwards, too. Why?",
        (
            Option(
                "Nothing in its training set told the two apart.",
                "Yes. Cover does: clips with the notes backwards and their true labels.",
            ),
            Option(
                "It can't hear the order of sounds.",
                "It can: with 54 clips of cover it tells them apart.",
            ),
            Option(
                "The trigger was too loud.",
                "At every level the poison says no more than: a beep, early on.",
            ),
            Option("Too many clips were poisoned.", "Fewer teach the same, less surely."),
        ),
    ),
    Question(
        "A low-pass at 3,400 Hz makes the 3,800 Hz backdoor silent. What does that prove of a network whose"
        " trigger nobody knows?",
        (
            Option(
                "Nothing: a melody below 3,400 Hz passes.",
                "Yes. A filter removes the triggers that it was matched to.",
            ),
            Option("It is clean behind the filter.", "Only of triggers above 3,400 Hz."),
            Option(
                "It is clean, if its accuracy stays.",
                "Accuracy tells nothing of a trigger that passes.",
            ),
            Option("It has no backdoor any more.", "The weights didn't change; only the input did."),
        ),
    ),
    Question(
        "A forest and a linear model were taught the same 300 rows with random labels. The forest knows all"
        " of them, the linear model half. Why?",
        (
            Option(
                "A linear model holds about as many labels as it has weights.",
                "Yes: its 31 weights can't spell 300 coin tosses. Trees grow as many leaves as they need.",
            ),
            Option("It needs more epochs.", "It is fitted to the end; there is no room for more."),
            Option("The forest saw the rows more often.", "Both saw the same rows equally often."),
            Option("Random labels can't be learnt.", "The forest learnt all 300 of them."),
        ),
    ),
)
