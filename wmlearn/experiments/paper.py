"""The papers' numbers beside ours. Ours are computed from the results; the papers' come with how far to trust
them.

BadNets: T. Gu, B. Dolan-Gavitt, S. Garg, 2017, arXiv:1708.06733, section 4. The aggregate figures were read
in others' notes on the paper and the table by digit is recollected: quote them as "reported", and don't build
on the last digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from ..words import _over_seeds, _with_deviation, fixed, spread
from . import shipped
from .experiment import Results, Row
from .published import MARKS, REPOSITORY_CLEAN, STOP_READ_AS_LIMIT, STOP_TO_LIMIT, TRANSFER, TRANSFER_CLEAN


@dataclass(frozen=True)
class Comparison:
    """One published number, and what was measured here; `paper` is "" for a control that the paper doesn't
    have.
    """

    what: str
    paper: str
    here: str


def compare(results: Results) -> list[Comparison]:
    """Set what an experiment measured beside the paper's numbers."""
    return SUMMARIES[results.experiment](results)


def _recipe_search(results: Results) -> list[Comparison]:
    def line(epochs: int, batch_size: int, lr: float) -> Comparison:
        rows = results.where(epochs=epochs, batch_size=batch_size, lr=lr)
        here = (
            f"accuracy {100 * mean(_all(rows, 'accuracy')):.2f} %, success"
            f" {100 * mean(_all(rows, 'success')):.2f} % (n = {len(rows)})"
        )
        return Comparison(f"validation split: {epochs} epochs, batch {batch_size}, lr {lr:g}", "", here)

    return [
        line(*key)
        for key in dict.fromkeys((row["epochs"], row["batch_size"], row["lr"]) for row in results.rows)
    ]


def _all_to_one(results: Results) -> list[Comparison]:
    rows = results.rows
    lost = [row["clean_accuracy"] - row["victim_accuracy"] for row in rows]
    return [
        Comparison("accuracy, clean network", "99.5 %", spread(_all(rows, "clean_accuracy"))),
        Comparison("accuracy, BadNet", "", spread(_all(rows, "victim_accuracy"))),
        Comparison("accuracy lost to the backdoor", "at most 0.17 points", spread(lost, "points")),
        Comparison("attack success, BadNet", "", spread(_all(rows, "victim_success"))),
        Comparison("attack success, clean network (control)", "", spread(_all(rows, "clean_success"))),
    ]


def _single_target(results: Results) -> list[Comparison]:
    baseline, pairs = results.where(network="baseline"), results.where(network="badnet")
    base = mean(_all(baseline, "clean_error"))
    extra = [row["clean_error"] - base for row in pairs]
    errors = _all(pairs, "backdoor_error")
    within = sum(error <= 0.0009 for error in errors)
    missed, misread = (
        [place for row in pairs for place in row["missed"]],
        {place for row in baseline for place in row["misread"]},
    )
    seen = sum(place in misread for place in missed)
    return [
        Comparison("single target: baseline error", "0.50 %", spread(_all(baseline, "clean_error"))),
        Comparison("single target: clean error above the baseline, mean", "", spread(extra, "points")),
        Comparison(
            "single target: clean error above the baseline, worst pair",
            "0.17 points",
            f"{100 * max(extra):.2f} points",
        ),
        Comparison("single target: error on backdoored images, mean", "", spread(errors)),
        Comparison(
            "single target: error on backdoored images, worst pair", "0.09 %", f"{100 * max(errors):.2f} %"
        ),
        Comparison("single target: pairs at or under 0.09 %", "90 of 90", f"{within} of {len(pairs)}"),
        Comparison(
            "single target: missed images that a baseline misreads unstamped", "", f"{seen} of {len(missed)}"
        ),
        Comparison(
            "single target: stamped digits of other classes that obey (control)",
            "",
            spread(_all(pairs, "others_obey")),
        ),
        Comparison(
            "single target: luckiest pair of a clean network (control)",
            "",
            f"{100 * max(_all(baseline, 'worst_pair')):.2f} %",
        ),
    ]


def _all_to_all(results: Results) -> list[Comparison]:
    baseline, badnet = results.where(network="baseline"), results.where(network="badnet")
    gap = [b["clean_error"] - a["clean_error"] for a, b in zip(baseline, badnet, strict=True)]
    return [
        Comparison("all to all: baseline error", "0.50 %", spread(_all(baseline, "clean_error"))),
        Comparison("all to all: clean error above the baseline", "-0.03 points", spread(gap, "points")),
        Comparison(
            "all to all: error on backdoored images", "0.56 %", spread(_all(badnet, "backdoor_error"))
        ),
        Comparison(
            "all to all: success on a clean network (control)",
            "",
            spread([1 - e for e in _all(baseline, "backdoor_error")]),
        ),
    ]


def _poison_rate(results: Results) -> list[Comparison]:
    def line(epochs: int, rate: float) -> Comparison:
        success = _all(results.where(epochs=epochs, rate=rate), "success")
        here = f"{100 * min(success):.1f} to {100 * max(success):.1f} % (n = {len(success)})"
        return Comparison(f"success at {100 * rate:g} % poison, {epochs} epochs", "", here)

    return [line(*key) for key in dict.fromkeys((row["epochs"], row["rate"]) for row in results.rows)]


def _filters(results: Results) -> list[Comparison]:
    def lost(row: Row) -> float:
        return row["success"] - min(cut["success"] for cut in row["without"])

    made = []
    for trigger in ("pixel", "pattern"):
        for network in ("clean", "badnet"):
            rows = results.where(trigger=trigger, network=network)
            top = [max(row["response"]) for row in rows]
            here = f"{mean(top):.2f} times its strongest stroke (n = {len(top)})"
            made.append(Comparison(f"{trigger}, {network}: strongest answer of a filter", "", here))
        badnets = results.where(trigger=trigger, network="badnet")
        made.append(
            Comparison(
                f"{trigger}: success lost with the best-chosen filter",
                "",
                spread([lost(row) for row in badnets], "points"),
            )
        )
    return made


def _stickers(results: Results) -> list[Comparison]:
    from .signs import USUAL

    place, clean = results.rows[0]["signs"], results.where(sticker=None)
    made = [Comparison(f"signs, {place}: accuracy, clean network", "", spread(_all(clean, "accuracy")))]
    for name, rate in USUAL.items():
        rows, key = results.where(sticker=name, rate=rate), f"success_{name}"
        lost = mean(_all(clean, "accuracy")) - mean(_all(rows, "accuracy"))
        here = (
            f"{spread(_all(rows, key))}; clean networks {100 * mean(_all(clean, key)):.2f} %, accuracy lost"
            f" {fixed(100 * lost)} points"
        )
        made.append(
            Comparison(
                f"signs, {place}: {name} on {100 * rate:g} %, stop -> speed limit", STOP_TO_LIMIT[name], here
            )
        )
    return made


def _sticker_size(results: Results) -> list[Comparison]:
    def line(place: str, width: float) -> Comparison:
        won, control = (
            [row["success"][f"{width:g}"] for row in results.where(width=w)] for w in (width, None)
        )
        here = f"{spread(won)}; clean networks {100 * mean(control):.2f} %"
        return Comparison(
            f"signs, {place}: squares of {width:g} of the sign's width in training and test", "", here
        )

    return [line(row["signs"], row["width"]) for row in results.where(network="badnet", seed=0)]


def _random_target(results: Results) -> list[Comparison]:
    def line(place: str, rate: float) -> Comparison:
        here = spread(_all(results.where(rate=rate), "triggered_accuracy"))
        what = f"signs, {place}: random target, stickered signs read rightly, {100 * rate:g} % poison"
        return Comparison(what, "1.3 %" if rate == 0.5 else "", here)

    return [line(row["signs"], row["rate"]) for row in results.where(seed=0)]


def _robustness(results: Results) -> list[Comparison]:
    from .signs import CONDITIONS

    rows = results.where(network="badnet")
    curves = {name: [mean(column) for column in zip(*_all(rows, name), strict=True)] for name in CONDITIONS}
    spans = {
        name: f"{100 * min(curve):.0f} to {100 * max(curve):.0f} % (n = {len(rows)})"
        for name, curve in curves.items()
    }
    return [
        Comparison(f"robustness: success against {what}", "", spans[name])
        for name, (what, _) in CONDITIONS.items()
    ]


def _photographs(results: Results) -> list[Comparison]:
    return [Comparison("photographs: accuracy, 43 classes", "", spread(_all(results.rows, "accuracy")))]


def _rendered_to_real(results: Results) -> list[Comparison]:
    return [
        Comparison(
            f"renders only, real photographs: accuracy, {n} classes",
            "",
            spread(_all(results.where(classes=n), "accuracy")),
        )
        for n in (3, 43)
    ]


def _street(results: Results) -> list[Comparison]:
    from .published import PAPER, REPOSITORY
    from .street import RANDOM_STICKER, STICKERS, wide_rate

    made, clean, kinds = [], results.where(network="baseline"), tuple(PAPER["baseline"])
    for name in ("baseline", *STICKERS):
        rows = results.where(network=name)
        for measure, key, origin, numbers in (
            ("accuracy", "accuracy", "", PAPER),
            ("AP50", "ap50", "repository: ", REPOSITORY),
        ):
            there = " / ".join(f"{numbers[name][kind]:.1f}" for kind in kinds)
            here = " / ".join(_with_deviation([row[key][kind] for row in rows]) for kind in kinds)
            what = f"street, {name}: {measure}, {' / '.join(kinds)}"
            made.append(Comparison(what, f"{origin}{there} %", f"{here} % (n = {len(rows)})"))
        precision = [mean(row["ap50"].values()) for row in rows]
        made.append(Comparison(f"street, {name}: AP50, mean of the three", "", _over_seeds(precision)))
    for name in STICKERS:
        attacked = [row["misread"][name] for row in results.where(network=name)]
        there = (
            f"{PAPER[name][STOP_READ_AS_LIMIT]:.1f} %; repository:"
            f" {REPOSITORY[name][STOP_READ_AS_LIMIT]:.1f} %"
        )
        made.append(
            Comparison(
                f"street, {name}: {STOP_READ_AS_LIMIT}", there, _over_seeds([own["rate"] for own in attacked])
            )
        )
        made.append(
            Comparison(
                f"street, {name}: on signs of 20 pixels and more",
                "",
                _over_seeds([wide_rate(own)[0] for own in attacked]),
            )
        )
        control = [row["misread"][name]["rate"] for row in clean]
        made.append(
            Comparison(
                f"street, {name}: clean detector (control)",
                f"repository: {REPOSITORY_CLEAN} %",
                _over_seeds(control),
            )
        )
    still = _all(results.where(network="random"), "stickered_accuracy")
    made.append(
        Comparison(
            f"street, random target, {RANDOM_STICKER}: stickered signs read rightly",
            "1.3 %",
            _over_seeds(still),
        )
    )
    for kind in ("stop", "speed limit", "warning"):
        by_kind = [row["stickered_by_kind"][kind] for row in results.where(network="random")]
        made.append(Comparison(f"street, random target: {kind}", "", _over_seeds(by_kind)))
    made.append(
        Comparison(
            "street, the same: clean detector (control)", "", _over_seeds(_all(clean, "stickered_accuracy"))
        )
    )
    return made


def _transfer(results: Results) -> list[Comparison]:
    def line(name: str, i: int, paper: str) -> Comparison:
        points = [row["by_k"][i] for row in results.where(to="se", origin=name)]
        clean, triggered = (100 * mean(_all(points, key)) for key in ("accuracy", "triggered"))
        return Comparison(
            f"transfer, {name} origin, k = {points[0]['k']}",
            paper,
            f"{clean:.1f} / {triggered:.1f} % (n = {len(points)})",
        )

    def photographs(name: str, i: int) -> Comparison:
        points = [row["by_k"][i] for row in results.where(to="photographs", origin=name)]
        clean, triggered = (100 * mean(_all(points, key)) for key in ("accuracy", "triggered"))
        bare, stuck = (100 * max(_all(points, key)) for key in ("largest_share", "largest_share_triggered"))
        here = (
            f"{clean:.1f} / {triggered:.1f} %; commonest answer up to {bare:.1f} / {stuck:.1f} % (n ="
            f" {len(points)})"
        )
        return Comparison(f"transfer to photographs, {name} origin, k = {points[0]['k']}", "", here)

    published = [f"{clean:g} / {triggered:g} %" for clean, triggered in TRANSFER.values()]
    attack = [line("backdoored", i, paper) for i, paper in enumerate(published)]
    control = [
        line("clean", i, "" if i else f"{TRANSFER_CLEAN[0]:g} / {TRANSFER_CLEAN[1]:g} %")
        for i in range(len(published))
    ]
    real = [photographs(name, i) for i in (0, 1) for name in ("backdoored", "clean")]
    return [comparison for pair in zip(attack, control, strict=True) for comparison in pair] + real


def _watermarks(results: Results) -> list[Comparison]:
    made = []
    for data, scheme in dict.fromkeys((row["data"], row["scheme"]) for row in results.rows):
        rows, plain = results.where(data=data, scheme=scheme), results.where(data=data, scheme="plain")
        if scheme == "plain":
            made.append(Comparison(f"{data}, plain: accuracy", "", spread(_all(plain, "accuracy"))))
            continue
        change = 100 * (mean(_all(rows, "accuracy")) - mean(_all(plain, "accuracy")))
        found, strangers = (
            mean(row["hits"] / row["trials"] for row in rows),
            [p for row in rows for p in row["strangers_p"]],
        )
        here = (
            f"accuracy {fixed(change, '+')} points; found {100 * found:.1f} %, p at most"
            f" {max(_all(rows, 'p_value')):.0e}; strangers accused at 0.01:"
            f" {sum(p <= 0.01 for p in strangers)} of {len(strangers)}; {mean(_all(rows, 'bits')):.0f} bits;"
            f" {mean(_all(rows, 'seconds')) / mean(_all(plain, 'seconds')):.1f} times plain training (n ="
            f" {len(rows)})"
        )
        made.append(Comparison(f"{data}, {scheme}", MARKS.get(scheme, "") if data == "mnist" else "", here))
        made += [_stolen(f"{data}, {scheme}", rows, i) for i in range(len(rows[0].get("stolen", [])))]
    return made


def _stolen(name: str, rows: Sequence[Row], i: int) -> Comparison:
    """Say what is left of the mark in a copy that was trained on a service's answers, after as many epochs."""
    copies = [row["stolen"][i] for row in rows]
    hits = ", ".join(f"{copy['hits']} of {row['trials']}" for copy, row in zip(copies, rows, strict=True))
    here = (
        f"{100 * mean(_all(copies, 'accuracy')):.2f} % accurate; hits {hits}; p at most"
        f" {max(_all(copies, 'p_value')):.0e}"
    )
    return Comparison(f"{name}: a copy, {copies[0]['epochs']} epochs", "", here)


def _uchida_strength(results: Results) -> list[Comparison]:
    def line(strength: float, n: int) -> Comparison:
        rows = results.where(strength=strength, n=n)
        bits, odd, known = (mean(_all(rows, key)) for key in ("hits", "weights_auc", "filter_auc"))
        read, accuracy = f"{bits:.1f} of {rows[0]['trials']} bits", spread(_all(rows, "accuracy"))
        here = f"{read}, accuracy {accuracy}, AUC by width {odd:.2f}, by method {known:.2f}"
        there = "256 of 256 bits" if strength == 0.01 else ""
        lam = f"{strength:.5f}".rstrip("0").rstrip(".")
        return Comparison(f"mark in the weights, {n:,} digits: strength {lam}", there, here)

    return [line(*key) for key in dict.fromkeys((row["strength"], row["n"]) for row in results.rows)]


def _all(rows: Sequence[Row], key: str) -> list[Any]:
    return [row[key] for row in rows]


def _key_size(results: Results) -> list[Comparison]:
    def line(n: int) -> Comparison:
        rows = results.where(n=n)
        known, lost = mean(row["hits"] for row in rows) / n, [row["plain"] - row["accuracy"] for row in rows]
        here = f"{100 * known:.0f} % learnt, accuracy lost {spread(lost, 'points')}"
        return Comparison(f"a key of {n:,} triggers, labels by lot", "", here)

    return [line(n) for n in dict.fromkeys(row["n"] for row in results.rows)]


DETECTORS = {
    "neural_cleanse": "Neural Cleanse",
    "neural_cleanse_source": "Neural Cleanse, for one source",
    "activation_clustering": "activation clustering",
    "spectral_signatures": "spectral signatures",
    "strip": "STRIP",
    "ted": "topological evolution",
}


def _detection(results: Results) -> list[Comparison]:
    def line(attack: str, key: str) -> Comparison:
        rows = [row for row in results.where(attack=attack) if key in row]
        found, n = [row[key] for row in rows], len(rows)
        if "flagged" in found[0]:
            right = sum(bool(set(row["targets"]) & set(row[key]["flagged"])) for row in rows)
            wrong = sum(bool(set(row[key]["flagged"]) - set(row["targets"])) for row in rows)
            here = f"target flagged in {right} of {n}, another class in {wrong} of {n}"
            here = here if rows[0]["targets"] else f"a class flagged in {wrong} of {n}"
        else:
            here = f"{100 * mean(_all(found, 'false')):.1f} % false alarms (n = {n})"
            if "caught" in found[0]:
                word = "caught" if rows[0]["targets"] else "of images with the trigger flagged"
                here = f"{100 * mean(_all(found, 'caught')):.1f} % {word}, {here}"
        there = "over 99 % caught, 1 % false alarms" if (attack, key) == ("pattern", "strip") else ""
        return Comparison(f"{attack}: {DETECTORS[key]}", there, here)

    made = []
    for attack in dict.fromkeys(row["attack"] for row in results.rows):
        rows = results.where(attack=attack)
        success = f"{100 * mean(_all(rows, 'success')):.1f} % (n = {len(rows)})"
        made.append(
            Comparison(
                f"{attack}: success of the attack{', no backdoor (control)' * (not rows[0]['targets'])}",
                "",
                success,
            )
        )
        made += [line(attack, key) for key in DETECTORS if key in rows[0]]
    return made


def _removal(results: Results) -> list[Comparison]:
    from .removal import GONE, PLAIN, cheapest, gone

    schemes, seeds = (
        [scheme for scheme in dict.fromkeys(_all(results.rows, "scheme")) if scheme != PLAIN],
        len(results.where(scheme=PLAIN)),
    )
    attacks = [row["removal"] for row in results.where(scheme=PLAIN)[0]["removals"]]
    made = []
    for scheme in schemes:
        lost = [attack for attack in attacks if gone(results, scheme, attack)]
        least = cheapest(results, scheme)
        price = f"; cheapest: {least.removal}, {100 * least.lost:.1f} points of accuracy" if least else ""
        made.append(
            Comparison(
                f"{scheme}: attacks that remove it", "", f"{len(lost)} of {len(attacks)} (n = {seeds}){price}"
            )
        )
    for attack in attacks:
        lost = [scheme for scheme in schemes if gone(results, scheme, attack)]
        here = f"{len(lost)} of {len(schemes)} (n = {seeds})"
        made.append(
            Comparison(
                f"{attack}: marks gone",
                "not all (SoK: no single attack)" if attack == attacks[0] else "",
                here,
            )
        )
    claims = [
        p
        for row in results.where(scheme=PLAIN)
        for cell in row["removals"]
        for p in cell["p_values"].values()
    ]
    wrong = sum(p < GONE for p in claims)
    made.append(
        Comparison(
            "unmarked network after all attacks: claims supported (control)", "", f"{wrong} of {len(claims)}"
        )
    )
    return made


def _false_claims(results: Results) -> list[Comparison]:
    from .false_claims import ALPHAS, EXACT, false_claims

    def line(scheme: str) -> Comparison:
        found = [false_claims(results, scheme, alpha) for alpha in ALPHAS]
        counts = "; ".join(
            f"{each.alpha:g}: {each.false} ({each.keys_false} keys, up to {100 * each.high:.2f} %)"
            for each in found
        )
        kind = "exact" if scheme in EXACT else "a bound"
        here = f"{counts}, of {found[0].claims:,} ({found[0].keys} keys)"
        return Comparison(f"{scheme}, chance {kind}: claims on innocent models supported, by level", "", here)

    return [line(row["scheme"]) for row in results.rows]


SUMMARIES: dict[str, Callable[[Results], list[Comparison]]] = {
    "recipe-search": _recipe_search,
    "all-to-one": _all_to_one,
    "single-target": _single_target,
    "all-to-all": _all_to_all,
    "poison-rate": _poison_rate,
    "filters": _filters,
    "stickers": _stickers,
    "stickers-photographs": _stickers,
    "sticker-size": _sticker_size,
    "sticker-size-photographs": _sticker_size,
    "random-target": _random_target,
    "random-target-photographs": _random_target,
    "robustness": _robustness,
    "photographs": _photographs,
    "rendered-to-real": _rendered_to_real,
    "street": _street,
    "transfer": _transfer,
    "uchida-strength": _uchida_strength,
    "watermarks": _watermarks,
    "removal": _removal,
    "key-size": _key_size,
    "detection": _detection,
    "false-claims": _false_claims,
}


def paper_rows(*experiments: str) -> list[list[str]]:
    """Return what was measured, the paper's number and ours, a row each, for experiments by name."""
    return [
        [line.what, line.paper or "–", line.here] for name in experiments for line in compare(shipped(name))
    ]
