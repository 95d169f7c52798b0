"""A market of networks, a game for a class: whose backdoor is in which, and whose mark.

Everybody hands in a network that obeys their own trigger, and one that bears their own mark, an Adi key drawn
from `me.secret` (lesson 07); some take another's network and pass it off as theirs. The market asks every
network about every name. In a class the secrets follow from the names, so anybody can draw anybody's key;
an owner in earnest draws a secret that nobody knows, and commits to it first (lesson 10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from torch import nn
from tqdm.auto import tqdm

from ... import page
from ...data import Samples, load
from ...errors import DataError, WmlearnError, require
from ...evidence import Evidence
from ...evidence.significance import holm
from ...models import badnet_cnn
from ...poisoning import success_rate
from ...suspects.formats import load_suspect
from ...training import accuracy
from ...watermarks import Adi2018, TriggerKey
from ...words import text_table
from .hand_ins import is_hand_in, owner_of
from .own_network import ACCURATE, DIGITS, IGNORES, OBEYS, Variant, variant
from .running import MOST_NETWORK

SCHEME = Adi2018()
ALPHA = 1e-3
"""Of all names and networks together."""
NOBODY = "nobody"


@dataclass(frozen=True)
class Stall:
    """A network on the market, and who is found in it; a `problem` says why it wasn't asked.

    `obeys` holds the attack success of each name's trigger, 0..1, `bears` the hits of each name's key.
    """

    file: str
    owner: str
    problem: str = ""
    accuracy: float = 0.0
    obeys: dict[str, float] = field(default_factory=dict)
    bears: dict[str, Evidence] = field(default_factory=dict)

    @property
    def masters(self) -> list[str]:
        """Whose trigger wins."""
        return [name for name, success in self.obeys.items() if success >= OBEYS]


@dataclass(frozen=True)
class Market:
    """All networks, the names that were tried on them, and whose mark is found in which: file -> names."""

    names: tuple[str, ...]
    stalls: tuple[Stall, ...]
    marked: dict[str, list[str]]


@dataclass(frozen=True)
class Standing:
    """A line of the league: a point for a backdoor of one's own that obeys nobody else, a point for one's own
    mark, and one for each network of others in which it is found.
    """

    name: str
    backdoor: int
    mark: int
    elsewhere: tuple[str, ...]

    @property
    def points(self) -> int:
        """All points."""
        return self.backdoor + self.mark + len(self.elsewhere)


def opened(folder: Path, students: Mapping[str, str], sitting: str = "") -> Market:
    """Ask every network below a folder about every name, `students` by id, or else the files' owners.

    A file that is no network of this class is listed with its problem, and the others are asked. Raises
    `DataError` where there is none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} must be a folder of networks, got nothing. Check the name.")
    places = [path.relative_to(folder) for path in sorted(folder.rglob("*.safetensors"))]
    places = [place for place in places if is_hand_in(place)]
    if not places:
        fix = "Put NAME.safetensors there, or a folder NAME with networks, for each student."
        raise DataError(f"{folder} must hold networks (.safetensors), got none. {fix}")
    owners = {place: _owner(place, students) for place in places}
    names = tuple(students or sorted(set(owners.values()) - {NOBODY}))
    require(bool(names), "the market must have names", "none", "Name the students: --students FILE.")
    variants = [variant(name, sitting) for name in names]
    digits = load("mnist").test[:DIGITS]
    keys = {each.student: SCHEME.keygen(badnet_cnn(), digits, secret=each.secret) for each in variants}
    ask = partial(_asked, folder, variants=variants, keys=keys, digits=digits)
    stalls = tuple(ask(place, owners[place]) for place in tqdm(places, desc="networks", leave=False))
    return Market(names, stalls, _marked(stalls))


def _owner(place: Path, students: Mapping[str, str]) -> str:
    """Return whose network lies at a place; a name that no student has is nobody's."""
    name = place.parts[0] if len(place.parts) > 1 else place.stem
    try:
        id = owner_of(name, sorted(students, key=len, reverse=True))
    except WmlearnError:  # a name without letters
        return NOBODY
    return id if id in students or not students else NOBODY


def _asked(
    folder: Path,
    place: Path,
    owner: str,
    *,
    variants: Sequence[Variant],
    keys: Mapping[str, TriggerKey],
    digits: Samples,
) -> Stall:
    path = folder / place
    try:
        model = _opened(path)
    except WmlearnError as error:
        return Stall(place.as_posix(), owner, str(error).replace(str(path), path.name).rstrip("."))
    few = digits[: DIGITS // 4]
    obeys = {v.student: success_rate(model, few, v.trigger, v.target) for v in variants}
    bears = {name: SCHEME.verify(model, key) for name, key in keys.items()}
    return Stall(place.as_posix(), owner, "", accuracy(model, digits), obeys, bears)


def _opened(path: Path) -> nn.Module:
    size = path.stat().st_size if path.is_file() else 0
    rule = f"a network must have at most {MOST_NETWORK // 2**20} MiB"
    require(size <= MOST_NETWORK, rule, f"{size / 2**20:,.0f}", "Hand in the lesson's network.")
    model = load_suspect(path, "badnet_cnn")
    assert isinstance(model, nn.Module)
    return model


def _marked(stalls: Sequence[Stall]) -> dict[str, list[str]]:
    """Return whose mark is found in which file; any name too many has a probability of `ALPHA` (Holm)."""
    marked: dict[str, list[str]] = {stall.file: [] for stall in stalls}
    tests = [(stall.file, name) for stall in stalls for name in stall.bears]
    evidences = [evidence for stall in stalls for evidence in stall.bears.values()]
    verdicts = holm(evidences, ALPHA) if evidences else ()
    for (file, name), verdict in zip(tests, verdicts, strict=True):
        if verdict.owned:
            marked[file].append(name)
    return marked


def league(market: Market) -> list[Standing]:
    """Return a line for each name, most points first."""
    lines = [_standing(market, name) for name in market.names]
    return sorted(lines, key=lambda line: (-line.points, line.name))


def _standing(market: Market, name: str) -> Standing:
    own = [stall for stall in market.stalls if stall.owner == name]
    others = [stall for stall in market.stalls if stall.owner != name]
    backdoor = any(_is_backdoor(stall, name) for stall in own)
    mark = any(name in market.marked[stall.file] for stall in own)
    elsewhere = tuple(stall.file for stall in others if name in market.marked[stall.file])
    return Standing(name, int(backdoor), int(mark), elsewhere)


def _is_backdoor(stall: Stall, name: str) -> bool:
    """Say whether a network reads digits, obeys `name`, and ignores whoever has another trigger or target."""
    strange = [success for other, success in stall.obeys.items() if other not in stall.masters]
    quiet = all(success <= IGNORES for success in strange)
    return name in stall.masters and stall.accuracy >= ACCURATE and quiet


# In words

STALL_HEAD = ("network", "handed in by", "digits right", "obeys", "bears the mark of")
LEAGUE_HEAD = ("name", "points", "own backdoor", "own mark", "own mark in others' networks")


def _stall_rows(market: Market) -> list[list[str]]:
    return [_stall_row(stall, market.marked[stall.file]) for stall in market.stalls]


def _stall_row(stall: Stall, marked: Sequence[str]) -> list[str]:
    if stall.problem:
        return [stall.file, stall.owner, "not asked", "", ""]
    obeys = [f"{name} ({stall.obeys[name]:.1%})" for name in stall.masters]
    bears = [f"{name} ({stall.bears[name].hits} of {stall.bears[name].trials})" for name in marked]
    whose = [", ".join(part) or NOBODY for part in (obeys, bears)]
    return [stall.file, stall.owner, f"{stall.accuracy:.1%}", *whose]


def _league_rows(market: Market) -> list[list[str]]:
    return [_league_row(line) for line in league(market)]


def _league_row(line: Standing) -> list[str]:
    return [line.name, str(line.points), str(line.backdoor), str(line.mark), ", ".join(line.elsewhere)]


def _problems(market: Market) -> list[str]:
    return [f"{stall.file}: {stall.problem}" for stall in market.stalls if stall.problem]


def told(market: Market) -> Iterator[str]:
    """Yield the lines that a terminal shows: the networks, what can't be asked, and the league."""
    yield text_table(STALL_HEAD, _stall_rows(market))
    yield ""
    yield from (f"NOT ASKED: {line}" for line in _problems(market))
    yield text_table(LEAGUE_HEAD, _league_rows(market))


def to_html(market: Market) -> str:
    """Write the market as one page, which needs no other file."""
    parts = ["<h1>Whose is which?</h1>", "<h2>The league</h2>"]
    parts.append(page.table(LEAGUE_HEAD, _league_rows(market)))
    parts += ["<h2>The networks</h2>", page.table(STALL_HEAD, _stall_rows(market))]
    if _problems(market):
        parts += ["<h2>Not asked</h2>", page.bullets(_problems(market))]
    few = f"{DIGITS // 4:,} test digits"
    parts.append(
        f"<p>A network obeys whose trigger wins at least {OBEYS:.0%} of {few}. A mark is found where the hits"
        f" of a name's key hold at the level {ALPHA:g}, shared among all names and networks (Holm).</p>"
    )
    return page.document("Whose is which?", parts)
