"""The exercises of notebook 15: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import hashlib
import pickletools
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from ..exercises import Cases, Exercise, Mistake, Solution, Symptom
from ..quizzes import Option, Question

Look = Callable[[str], str]


def compare(manifest: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """Return for every name in a manifest (lines "SHA-256, two spaces, name"), or among `files`, whether the
    file is the "same", "changed", "missing", or "unlisted".
    """
    listed = _listed(manifest)
    return {name: _state(name, listed, files) for name in [*listed, *files]}


def would_call(raw: bytes) -> list[str]:
    """Name what a pickle would import, "module.name", in order, without opening it."""
    return _names(raw, _Reader())


def decide(look: Look) -> bool:
    """Let a parcel in, or refuse it: a short lane for what is signed, a long one for the rest."""
    if look("format") == "bad" or look("signature") == "bad":
        return False
    if look("signature") == "fine":
        return True
    return look("provenance") == "fine" and look("cleanse") == "fine"


# 15.1: a manifest


def _listed(manifest: str) -> dict[str, str]:
    lines = [line.split("  ", 1) for line in manifest.splitlines() if line]
    return {name: digest.lower() for digest, name in lines}


def _state(name: str, listed: Mapping[str, str], files: Mapping[str, bytes]) -> str:
    if name not in listed:
        return "unlisted"
    if name not in files:
        return "missing"
    return "same" if hashlib.sha256(files[name]).hexdigest() == listed[name] else "changed"


STATES = ("same", "changed", "missing", "unlisted")


def _compared(f: Solution, manifest: str, files: list[tuple[str, bytes]]) -> list[float]:
    """Return what `f` says of each name, as places among `STATES`; -1 for a name it leaves out."""
    given = dict(files)
    found = dict(f(manifest, given))
    names = sorted({*_listed(manifest), *given, *found})
    return [float(_place(found[name])) if name in found else -1.0 for name in names]


def _place(state: object) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _folders(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def content() -> bytes:
        return bytes(torch.randint(256, (20,), generator=gen).tolist())

    names = ("model.safetensors", "card.json", "read me.txt", "labels.txt")
    files = [(name, content()) for name in names]
    lines = [f"{hashlib.sha256(raw).hexdigest()}  {name}" for name, raw in files]
    text = "\n".join(lines) + "\n"
    shouted = "\n".join(f"{line[:64].upper()}{line[64:]}" for line in lines)
    # the first eight digits agree, the rest doesn't
    forged = text.replace(lines[0][8:64], lines[1][8:64])
    return {
        "nothing has changed": [(text, files), (shouted, files[::-1])],
        "files that changed": [(text, [(names[0], content()), *files[1:]]), (forged, files)],
        "files that are missing": [(text, files[1:]), (text, [])],
        "files that nobody listed": [(text, [*files, ("extra.py", content())]), ("", files)],
    }


def _listed_only(manifest: str, files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: state for name, state in compare(manifest, files).items() if state != "unlisted"}


def _there_only(manifest: str, files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: state for name, state in compare(manifest, files).items() if state != "missing"}


def _case_matters(manifest: str, files: Mapping[str, bytes]) -> dict[str, str]:
    states = compare(manifest, files)
    shouted = {line.split("  ", 1)[1] for line in manifest.splitlines() if line[:64] != line[:64].lower()}
    return {name: "changed" if name in shouted and name in files else state for name, state in states.items()}


def _missing_is_changed(manifest: str, files: Mapping[str, bytes]) -> dict[str, str]:
    states = compare(manifest, files)
    return {name: "changed" if state == "missing" else state for name, state in states.items()}


def _first_digits(manifest: str, files: Mapping[str, bytes]) -> dict[str, str]:
    listed = _listed(manifest)
    states = compare(manifest, files)
    for name in files:
        if hashlib.sha256(files[name]).hexdigest()[:8] == listed.get(name, "")[:8]:
            states[name] = "same"
    return states


# 15.2: what a pickle would call


@dataclass(frozen=True)
class _Reader:
    """How carefully opcodes are read; each flag that is turned off is a mistake."""

    old: bool = True  # GLOBAL
    new: bool = True  # STACK_GLOBAL
    memory: bool = True
    counts_all: bool = True  # MEMOIZE counts whatever lies on the stack, not only strings
    dotted: bool = True
    in_order: bool = True


@dataclass
class _Seen:
    """The names so far, strings in the order of the stack, and what was kept."""

    names: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    last: str = ""  # opcode


def _names(raw: bytes, reader: _Reader) -> list[str]:
    seen = _Seen()
    for opcode, argument, _ in pickletools.genops(raw):
        _read(seen, opcode.name, argument, reader)
        seen.last = opcode.name
    return seen.names


def _read(seen: _Seen, code: str, argument: object, reader: _Reader) -> None:
    if code in ("SHORT_BINUNICODE", "BINUNICODE"):
        seen.strings.append(str(argument))
    elif code == "MEMOIZE" and (reader.counts_all or "UNICODE" in seen.last):
        seen.kept.append(seen.strings[-1] if seen.strings else "")
    elif code == "BINGET" and reader.memory:
        place = int(str(argument))
        seen.strings.append(seen.kept[place] if place < len(seen.kept) else "")
    elif code == "GLOBAL" and reader.old:
        seen.names.append(str(argument).replace(" ", ".") if reader.dotted else str(argument))
    elif code == "STACK_GLOBAL" and reader.new:
        pair = seen.strings[-2:] if reader.in_order else seen.strings[:-3:-1]
        seen.names.append(".".join(pair))


def _called(f: Solution, raw: bytes) -> list[float]:
    """Return what `f` names, each name as a number."""
    return [float(zlib.crc32(str(name).encode()) % 1_000_003) for name in f(raw)]


SYLLABLES = ("ba", "do", "fe", "ki", "lu", "mo", "na", "ri", "so", "tu")


def _pickles(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def word(n: int) -> str:
        return "".join(SYLLABLES[i] for i in torch.randint(10, (n,), generator=gen).tolist())

    def names(n: int) -> list[str]:
        return [f"parcel.{word(3)}.{word(4)}" for _ in range(n)]

    one = f"parcel.{word(3)}"
    alike = [f"{one}.{word(4)}", f"{one}.{word(5)}", f"{one}.{word(6)}"]
    others = names(4)
    mixed = [*alike, others[0], alike[1], alike[2]]
    return {
        "an old pickle": [(_old_pickle([*others[:2], others[0]]),), (_old_pickle(names(1)),)],
        "a new pickle": [(_new_pickle([*others[2:], others[2]]),), (_new_pickle(names(1)),)],
        "one that remembers": [(_new_pickle(alike),), (_new_pickle(mixed),)],
        "one that calls nothing": [(b"\x80\x04]\x94.",), (b"\x80\x02]q\x00.",)],
    }


def _old_pickle(names: list[str]) -> bytes:
    """Write a pickle of protocol 2 that calls functions without arguments; it keeps a string by BINPUT."""
    parts = [b"X\x03\x00\x00\x00kepq\x000h\x000"]
    for name in names:
        module, _, function = name.rpartition(".")
        parts.append(f"c{module}\n{function}\n".encode() + b")R0")
    return b"\x80\x02" + b"".join(parts) + b"N."


def _new_pickle(names: list[str]) -> bytes:
    """Write one of protocol 4: each string once, then from the memory, and other things between them."""
    places: dict[str, int] = {}
    count = 0
    parts = []
    for name in names:
        module, _, function = name.rpartition(".")
        for text in (module, function):
            if text in places:
                parts.append(b"h" + bytes([places[text]]))
                continue
            parts.append(b"\x8c" + bytes([len(text)]) + text.encode() + b"\x94")
            places[text] = count
            count += 1
        parts.append(b"\x93\x94")  # the function, which is remembered, too
        count += 1
        parts.append(b")R0")
    return b"\x80\x04" + b"".join(parts) + b"N."


def _old_only(raw: bytes) -> list[str]:
    return _names(raw, _Reader(new=False))


def _new_only(raw: bytes) -> list[str]:
    return _names(raw, _Reader(old=False))


def _no_memory(raw: bytes) -> list[str]:
    return _names(raw, _Reader(memory=False))


def _strings_counted(raw: bytes) -> list[str]:
    return _names(raw, _Reader(counts_all=False))


def _with_a_space(raw: bytes) -> list[str]:
    return _names(raw, _Reader(dotted=False))


def _exchanged(raw: bytes) -> list[str]:
    return _names(raw, _Reader(in_order=False))


def _sorted_names(raw: bytes) -> list[str]:
    return sorted(set(would_call(raw)))


# 15.3: a policy

LOOKS = ("format", "signature", "provenance", "cleanse", "hash", "triggers")
ANSWERS = ("fine", "bad", "nothing")


def _decided(f: Solution, parcels: list[list[int]]) -> list[float]:
    """Return for each parcel whether `f` lets it in, and how many different looks that took."""
    found = []
    for answers in parcels:
        taken: set[str] = set()
        found += [float(bool(f(_looking(answers, taken)))), float(len(taken))]
    return found


def _looking(answers: list[int], taken: set[str]) -> Look:
    states = {name: ANSWERS[answer] for name, answer in zip(LOOKS, answers, strict=True)}

    def look(name: str) -> str:
        taken.add(name)
        return states[name]

    return look


def _parcels(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def some(**fixed: int) -> list[int]:
        drawn = torch.randint(3, (len(LOOKS),), generator=gen).tolist()
        drawn[1] = 0 if drawn[1] == 1 else drawn[1]  # no bad signature unless it is asked for
        drawn[0] = 0
        for name, answer in fixed.items():
            drawn[LOOKS.index(name)] = answer
        return drawn

    signed = [some(signature=0, provenance=1), some(signature=0, cleanse=1), some(signature=0)]
    refused = [some(format=1, signature=0), some(signature=1), some(format=1, signature=2)]
    fine = [some(signature=2, provenance=0, cleanse=0), some(signature=2, provenance=0, cleanse=1)]
    unsigned = [some(signature=2, provenance=1), some(signature=2, provenance=2, cleanse=0)]
    unclear = [some(signature=2, provenance=0, cleanse=2), some(format=2, signature=0)]
    return {
        "signed parcels": [(signed,)],
        "parcels that are refused at once": [(refused,)],
        "unsigned parcels": [(fine,), (unsigned,)],
        "looks that have nothing to look at": [(unclear,)],
    }


def _all_first(look: Look) -> bool:
    states = {name: look(name) for name in ("format", "signature", "provenance", "cleanse")}
    return decide(lambda name: states[name])


def _trusts_a_signature(look: Look) -> bool:
    if look("signature") == "fine":
        return True
    return look("format") != "bad" and _rest(look)


def _rest(look: Look) -> bool:
    if look("signature") == "bad":
        return False
    return look("provenance") == "fine" and look("cleanse") == "fine"


def _nothing_is_fine(look: Look) -> bool:
    if look("format") == "bad" or look("signature") == "bad":
        return False
    if look("signature") == "fine":
        return True
    return look("provenance") != "bad" and look("cleanse") != "bad"


def _unsigned_refused(look: Look) -> bool:
    return look("format") != "bad" and look("signature") == "fine"


def _upside_down(look: Look) -> bool:
    return not decide(look)


def _dear_first(look: Look) -> bool:
    if look("format") == "bad" or look("signature") == "bad":
        return False
    if look("signature") == "fine":
        return True
    return look("cleanse") == "fine" and look("provenance") == "fine"


EXERCISES = {
    "15.1": Exercise(
        id="15.1",
        title="A list of hashes",
        difficulty=2,
        importance=4,
        minutes=12,
        returns="a dictionary from names to one of four words",
        reference=compare,
        probe=_compared,
        example={"a": "same"},
        cases=_folders,
        mistakes=(
            Mistake(
                "extra-ignored",
                "You look at listed files only. A file that nobody listed may be code: call it unlisted.",
                _listed_only,
            ),
            Mistake(
                "missing-ignored",
                "You look at the files that are there. One that is listed and gone is missing.",
                _there_only,
            ),
            Mistake(
                "capitals",
                "AB and ab are one number in hexadecimal digits: compare them in lower case.",
                _case_matters,
            ),
            Mistake(
                "missing-changed",
                "A file that isn't there has not changed: it is missing.",
                _missing_is_changed,
            ),
            Mistake(
                "first-digits",
                "You compare the first digits only. Whoever forges tries until those agree: compare all 64.",
                _first_digits,
            ),
        ),
        hints=(
            "Which names must be in your answer: those of the list, those of the folder, or both?",
            "Read the list into a dictionary from names to hashes. Then go through both sets of names:"
            " not listed, not there, same hash, another hash.",
            "`hashlib.sha256(files[name]).hexdigest()` gives 64 lower-case digits;"
            " `line.split('  ', 1)` keeps names with spaces whole.",
        ),
        symptoms=(
            Symptom(
                "ValueError, too many values to unpack:",
                "a name holds spaces. Split at the first two spaces only: `line.split('  ', 1)`.",
            ),
            Symptom("KeyError, 'extra.py':", "that file is in the folder and not in the list."),
        ),
        why=(
            "A hash says that two files are one, and nothing else: not whose file it is, nor what it does."
            " Its worth is that of the way by which the list came."
        ),
    ),
    "15.2": Exercise(
        id="15.2",
        title="What a pickle would call",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="a list of names",
        reference=would_call,
        probe=_called,
        example=["a.b"],
        cases=_pickles,
        mistakes=(
            Mistake(
                "old-only",
                "You read GLOBAL only. Since protocol 4 a name lies on the stack: STACK_GLOBAL.",
                _old_only,
            ),
            Mistake(
                "new-only",
                "You read STACK_GLOBAL only. An attacker writes an old pickle, with GLOBAL.",
                _new_only,
            ),
            Mistake(
                "no-memory",
                "A string that occurs twice is written once, and fetched by BINGET. Keep what MEMOIZE keeps.",
                _no_memory,
            ),
            Mistake(
                "strings-counted",
                "MEMOIZE keeps whatever lies on top, functions too: count every one of them.",
                _strings_counted,
            ),
            Mistake(
                "space",
                "The argument of GLOBAL has a space between module and name: put a dot there.",
                _with_a_space,
            ),
            Mistake("exchanged", "The module lies below the name on the stack: module first.", _exchanged),
            Mistake(
                "sorted",
                "Name the calls in their order, and as often as they occur: order is what an analyst reads.",
                _sorted_names,
            ),
        ),
        hints=(
            "Where do the two strings of a STACK_GLOBAL come from, if one of them was used before?",
            "Keep two lists: strings as they are put on the stack, and what MEMOIZE kept. BINGET n puts"
            " number n of the second on the first; STACK_GLOBAL takes the last two of the first.",
            "At MEMOIZE: `kept.append(strings[-1] if strings else '')`, whatever lies on top; at BINGET:"
            " `strings.append(kept[argument])`, or an empty string where nothing was kept.",
        ),
        symptoms=(
            Symptom(
                "ModuleNotFoundError, No module named 'parcel':",
                "you opened the pickle! Read it: `pickletools.genops(raw)` runs nothing.",
            ),
            Symptom(
                "IndexError, list index out of range:",
                "MEMOIZE keeps functions, too: count them. And an old pickle keeps by BINPUT: put an empty"
                " string where nothing was kept.",
            ),
        ),
        why=(
            "A scanner is this loop and a list of names. What it says is as good as the list: a call that is"
            " on no list passes."
        ),
    ),
    "15.3": Exercise(
        id="15.3",
        title="Two lanes",
        difficulty=2,
        importance=5,
        minutes=10,
        returns="True or False",
        reference=decide,
        probe=_decided,
        example=True,
        cases=_parcels,
        mistakes=(
            Mistake(
                "all-first",
                "You take every look before you decide. Each is paid for: stop when you know.",
                _all_first,
            ),
            Mistake(
                "trusts-a-signature",
                "A signed pickle is a pickle. Look at the format first, whoever signed.",
                _trusts_a_signature,
            ),
            Mistake(
                "nothing-is-fine",
                'In the long lane "nothing" isn\'t enough: provenance and cleanse must both be fine.',
                _nothing_is_fine,
            ),
            Mistake(
                "unsigned-refused",
                "You refuse whatever isn't signed. Send it down the long lane.",
                _unsigned_refused,
            ),
            Mistake("upside-down", "You refuse what should come in: return True to let it in.", _upside_down),
            Mistake(
                "dear-first",
                "You ask for cleanse before provenance. Keep to the order of the task.",
                _dear_first,
            ),
        ),
        hints=(
            "After which look is the matter settled, and for which parcels does it go on?",
            "Three steps: refuse what is bad in format or signature; let in what is signed; of the rest let"
            " in what is fine in both other looks.",
            'Ask `look("provenance") == "fine"` first, and join the other comparison by `and`: it stops at'
            " the first that isn't so, and the second look is never taken.",
        ),
        symptoms=(
            Symptom(
                "KeyError, 'neural cleanse':",
                "that look is called `cleanse`. The table above lists the names.",
            ),
            Symptom(
                "TypeError, 'function' object is not subscriptable:",
                'look is a function: write `look("format")`, with round brackets.',
            ),
        ),
        why=(
            "Cheap looks first, and dear ones only where they can change the decision: that is most of what a"
            " policy can save."
        ),
    ),
}

QUIZ = (
    Question(
        "A model is signed by North Models, and the signature verifies. What do you know?",
        (
            Option(
                "Whoever holds their key signed these bytes, and they haven't changed since.",
                "Yes: origin and integrity. What the bytes do is another question.",
            ),
            Option(
                "It has no backdoor, as far as North Models know.",
                "A signature says nothing of what a network does: a signed BadNet verifies.",
            ),
            Option(
                "North Models trained it.",
                "They signed it. Its backbone may come from anywhere.",
            ),
            Option(
                "It may be opened safely, whatever its format.",
                "A signed pickle runs code like any other. Format is a look of its own.",
            ),
        ),
    ),
    Question(
        "A scanner finds nothing in a pickle. What may you do now?",
        (
            Option(
                "Say that it calls nothing on the scanner's list.",
                "Yes. What is on no list passes, as one of our parcels shows.",
            ),
            Option("Open it with pickle.load.", "A call that is on no list runs all the same."),
            Option("Say that it holds only numbers.", "Read its opcodes: that is a stronger claim."),
            Option("Skip the signature.", "Who sent it is a question of its own."),
        ),
    ),
    Question(
        "Nine looks find nothing. How sure are you that there is no backdoor?",
        (
            Option(
                "As sure as these looks were of such attacks where the truth was known.",
                "Yes: a table of attacks and looks is all there is, and it has empty rows.",
            ),
            Option("Sure: nine independent looks.", "They miss the same attacks, and are not independent."),
            Option(
                "Not at all: looks are useless.", "They find most of what was planted here: see the table."
            ),
            Option(
                "To 99 %, as monitoring promises.",
                "That number is about false alarms on single images, not about backdoors.",
            ),
        ),
    ),
)
