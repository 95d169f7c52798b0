"""What the cells of notebook 11 call: packed images, what shipped results say, claims; the dial, and the
challenge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets
import torch
from scipy.stats import binom
from torch import Tensor, nn

from ...data import Samples, load
from ...evidence import answers
from ...experiments import Results, api_theft, forging
from ...plots.theft import TOLD, budget_point
from ...privacy import likest as likest_of
from ...suspects.arrays import packed as packed
from ...training import accuracy, best_device
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw

_count = partial(Claim, unit="count")
_number = partial(Claim, unit="p")
N = api_theft.N_OWNERS


# The first theft


@dataclass(frozen=True)
class Theft:
    """What came of the lesson's own theft: labels got, and accuracies."""

    got: int
    ana: float
    copy: float
    own: float


def stolen(test: Samples, bought: Samples, ana: nn.Module, copy: nn.Module, own: nn.Module) -> Theft:
    """Measure Ana's network, the copy, and the network of true labels."""
    return Theft(len(bought), *(accuracy(network, test) for network in (ana, copy, own)))


def first_theft(theft: Theft) -> list[Claim]:
    """Claim what the lesson's own theft came to."""
    apart = abs(theft.own - theft.copy)
    return [
        _count("11.got", "Labels that the limit let through", theft.got, low=1500),
        Claim("11.ana", "Accuracy of Ana's network", theft.ana, low=0.975, n=10_000),
        Claim("11.copy", "Accuracy of the copy", theft.copy, low=0.94, n=10_000),
        Claim("11.own", "Accuracy with true labels", theft.own, low=0.94, n=10_000),
        Claim("11.apart", "Copy and true labels apart", apart, high=0.015, n=10_000, unit="points"),
    ]


# What a copy costs


def after(results: Results, queries: str, told: str, n: int) -> float:
    """Return the mean accuracy of copies after `n` queries."""
    found = api_theft.curve(results, queries, told)
    return float(found.accuracy[:, found.budgets.index(n)].mean())


def costs(results: Results) -> list[Claim]:
    """Claim what copies reach with so many queries."""
    at = partial(after, results)
    soft = at("digits", "probabilities", 500)
    hard = at("digits", "labels", 2_000)
    noise = sorted(api_theft.curve(results, "noise", "probabilities").accuracy[:, -1].tolist())
    return [
        Claim("11.l500", "Accuracy after 500 labels", at("digits", "labels", 500), low=0.9, high=0.96, n=N),
        Claim("11.l2000", "Accuracy after 2,000 labels", hard, low=0.965, high=0.975, n=N),
        Claim("11.l10000", "Accuracy after 10,000 labels", at("digits", "labels", 10_000), low=0.975, n=N),
        Claim("11.p500", "Accuracy after 500 probabilities", soft, low=0.965, high=0.975, n=N),
        Claim(
            "11.r500", "After 500 probabilities, two digits", at("digits", "two digits", 500), low=0.93, n=N
        ),
        Claim(
            "11.s50000",
            "After 50,000 signs, probabilities",
            at("signs", "probabilities", 50_000),
            low=0.9,
            n=N,
        ),
        Claim("11.n_least", "After 50,000 of noise, worst copy", noise[0], high=0.5, n=N),
        Claim("11.n_most", "After 50,000 of noise, best copy", noise[-1], low=0.7, n=N),
    ]


# Lies


@dataclass(frozen=True)
class Lies:
    """How many lies the service told, and how many copies of marked and of honest answers repeat."""

    told: int
    repeated: int
    innocent: int

    @property
    def p_value(self) -> float:
        """How probable so many are in an innocent network, which repeats one in nine at most."""
        return float(binom.sf(self.repeated - 1, self.told, 1 / 9))


def marked(x: Tensor, honest: Tensor, said: Tensor, learnt: nn.Module, innocent: nn.Module) -> Lies:
    """Count the lies in what was `said` of images x (N, C, H, W), and those that two networks repeat."""
    lies = said != honest
    found = [int((answers(network, x[lies], 10) == said[lies]).sum()) for network in (learnt, innocent)]
    return Lies(int(lies.sum()), *found)


EARLY = 8


def lies(live: Lies, results: Results) -> list[Claim]:
    """Claim what is left of a service's lies: here, and of five services, epoch by epoch."""
    dawn = results.where(part="dawn")
    told = sum(cell["triggers"] for cell in dawn)
    served = api_theft.rows_of(results, "dawn", thief="marked answers")
    early = [row["trace"][EARLY - 1] for row in served]
    late = [row["trace"][-1] for row in served]
    thrice = api_theft.rows_of(results, "dawn", thief="asks three times")
    n = live.told
    return [
        _count("11.told", "Lies told", n, low=25, high=80),
        _count("11.repeats", "Lies that the copy repeats", live.repeated, low=0.25 * n, n=n),
        _number("11.p_lies", "Their p-value", live.p_value, high=1e-3),
        _count("11.innocent", "Lies that a copy of honest answers repeats", live.innocent, high=4, n=n),
        Claim("11.customers", "Customers' answers that are lies", _mean(dawn, "lies_to_others"), high=0.01),
        Claim("11.early", "Accuracy of copies after 8 epochs", _mean(early, "accuracy"), low=0.96, n=N),
        Claim("11.late", "Accuracy of copies after 20 epochs", _mean(late, "accuracy"), low=0.975, n=N),
        _count("11.early_hits", "Lies they repeat after 8 epochs", _sum(early), high=0.2 * told, n=told),
        _count("11.late_hits", "Lies they repeat after 20 epochs", _sum(late), low=0.4 * told, n=told),
        _count("11.thrice", "Lies left to who asks three times", _sum(thrice), high=0.05 * told, n=told),
    ]


def _mean(rows: Any, key: str) -> float:
    return sum(row[key] for row in rows) / len(rows)


def _sum(rows: Any) -> int:
    return sum(row["hits"] for row in rows)


# Marks in the model

SCHEMES = {"jia2021-ewe": "EWE", "kim2023-margin": "wide margins"}


def marks_table(results: Results) -> list[list[str]]:
    """Say how many triggers models and their copies answer as the key says, an owner each."""
    rows = []
    for scheme, title in SCHEMES.items():
        for model, suspect, what in (
            ("marked", "itself", "the marked network"),
            ("marked", "labels", "its copy by labels"),
            ("marked", "probabilities", "its copy by probabilities"),
            ("unmarked", "labels", "copy of an unmarked network (control)"),
        ):
            hits = ", ".join(map(str, api_theft.hits_of(results, scheme, model, suspect)))
            rows.append([f"{title}: {what}", hits])
    return rows


def marks(results: Results) -> list[Claim]:
    """Claim what copies repeat of marks that were planted in the model."""
    of = partial(api_theft.hits_of, results)
    n = 100 * N
    planted = sum(of("jia2021-ewe", "marked", "itself"))
    hard = sum(of("jia2021-ewe", "marked", "labels"))
    soft = sum(of("jia2021-ewe", "marked", "probabilities"))
    margin = sum(of("kim2023-margin", "marked", "labels"))
    reported = "3, 98, 63 %"
    return [
        _count("11.planted", "Triggers of EWE that marked networks name", planted, low=0.9 * n, n=n),
        _count(
            "11.ewe", "Triggers of EWE that copies by labels name", hard, high=0.25 * n, n=n, paper=reported
        ),
        _count("11.ewe_soft", "Triggers of EWE that copies by probabilities name", soft, high=0.5 * n, n=n),
        _count("11.margin", "Triggers of wide margins in copies by labels", margin, high=0.25 * n, n=n),
    ]


# Clients

CLIENTS = {
    "usual": "usual: digits",
    "one digit only": "honest: one digit only",
    "sends each twice": "honest: sends each twice",
    "dark scans": "honest: dark scans",
    "thief: digits": "thief: digits",
    "thief: signs": "thief: road signs",
    "thief: noise": "thief: noise",
    "thief: small changes": "thief: 20 digits, and small changes",
}


def _barred(results: Results, client: str, watch: str) -> float:
    rows = api_theft.rows_of(results, "guards", client=client)
    return sum(row[watch] for row in rows) / (api_theft.CLIENTS * len(rows))


def clients_table(results: Results) -> list[list[str]]:
    """Say which share of clients each watch bars."""
    rows = []
    for client, title in CLIENTS.items():
        shares = [f"{100 * _barred(results, client, watch):.0f} %" for watch in api_theft.WATCHES]
        rows.append([title, *shares])
    return rows


def clients(results: Results) -> list[Claim]:
    """Claim whom the watches bar."""
    barred = partial(_barred, results)
    most = max(barred("thief: digits", watch) for watch in api_theft.WATCHES)
    noise = max(barred("thief: noise", watch) for watch in api_theft.WATCHES)
    signs = max(barred("thief: signs", watch) for watch in api_theft.WATCHES)
    n = api_theft.CLIENTS * N
    return [
        Claim("11.barred", "Thieves barred who ask about digits", most, high=0.05, n=n),
        Claim("11.noise", "Thieves barred who ask about noise", noise, low=0.9, n=n),
        Claim("11.signs", "Thieves barred who ask about signs", signs, low=0.9, n=n),
        Claim(
            "11.twice",
            "Honest clients barred who send twice",
            barred("sends each twice", "distances"),
            low=0.5,
            n=n,
        ),
        Claim(
            "11.dark",
            "Honest clients barred with dark scans",
            barred("dark scans", "confidence"),
            low=0.5,
            n=n,
        ),
    ]


# What else leaks

MEMBERS = {
    ("its digits", "loss"): "its digits, by loss",
    ("its digits", "calibrated"): "its digits, calibrated",
    ("another's digits", "calibrated"): "digits of another (control)",
    ("wrong labels", "loss"): "wrong labels, learnt by heart (control)",
}


def members_table(results: Results) -> list[list[str]]:
    """Say how well members are told from strangers: mean over owners, and their range."""
    rows = []
    for (asked, how), title in MEMBERS.items():
        found = api_theft.rows_of(results, "membership", asked=asked, how=how)
        share = [row["caught_at_0.01"] for row in found]
        spread = f"{100 * min(share):.1f} to {100 * max(share):.1f} %"
        rows.append([title, f"{_mean(found, 'auc'):.3f}", spread])
    return rows


def _caught(results: Results, asked: str, how: str) -> float:
    return _mean(api_theft.rows_of(results, "membership", asked=asked, how=how), "caught_at_0.01")


def members(live: float, results: Results) -> list[Claim]:
    """Claim how little losses tell of digits, and that they could tell more."""
    cells = results.where(part="membership")
    caught = partial(_caught, results)
    calibrated = caught("its digits", "calibrated")
    stranger = caught("another's digits", "calibrated")
    n = api_theft.EACH * N
    return [
        Claim(
            "11.sure", "Training digits with 99 % confidence", _mean(cells, "sure_of_members"), low=0.9, n=n
        ),
        Claim(
            "11.sure_strangers",
            "Other digits with 99 % confidence",
            _mean(cells, "sure_of_strangers"),
            low=0.9,
            n=n,
        ),
        Claim("11.live", "Ana's digits caught at 1 %", live, low=0.005, high=0.03, n=api_theft.EACH),
        Claim("11.caught", "Digits caught at 1 %, by loss", caught("its digits", "loss"), high=0.03, n=n),
        Claim("11.calibrated", "The same, calibrated", calibrated, low=0.017, high=0.05, n=n),
        Claim("11.stranger", "Another's digits, calibrated", stranger, low=0.005, high=0.015, n=n),
        Claim("11.heart", "Wrong labels caught at 1 %", caught("wrong labels", "loss"), low=0.2, n=500 * N),
    ]


def likest(drawn: Tensor, members: Samples, strangers: Samples) -> tuple[Tensor, Tensor, Tensor]:
    """Return drawn images (10, C, H, W), one a class, and the likest digit of that class on either side."""
    sides = []
    for samples in (members, strangers):
        found = [likest_of(image, samples.x[samples.y == c]) for c, image in enumerate(drawn)]
        sides.append(torch.stack(found))
    return drawn, sides[0], sides[1]


def inversions(results: Results) -> list[Claim]:
    """Claim whose digits are likest to what is drawn from weights."""
    many, ten = (api_theft.own_first(results, name) for name in api_theft.TRAINED_ON)
    chance = len(many) / N
    what = "Drawn images whose likest digit was trained on"
    return [
        _count("11.inverted", what, sum(many), high=2 * chance, n=len(many)),
        _count("11.inverted_ten", f"{what}, of ten digits", sum(ten), low=2.5 * chance, n=len(ten)),
    ]


# The platform


def judged(service: bool, copied: bool) -> Claim:
    """Claim whom the judge convicts: the service, and not a copy of the unmarked model."""
    right = int(service and not copied)
    return _count("11.convicted", "Accused whom the judge convicts, rightly", right, low=1, n=2)


RULES = {
    "handed-in": "key handed in",
    "promised": "key promised before the release",
    "promised-drawn": "seeds promised, triggers drawn from them",
    forging.COURT: "drawn from seeds and a later nonce (lesson 10)",
}


def _believed(results: Results, rule: str, claimant: str) -> int:
    return sum(forging.believed(results, rule, claimant))


def _forgers(rule: str) -> list[str]:
    return [name for name in forging.CLAIMANTS[rule] if name not in (forging.OWNER, forging.STRANGER)]


def forged_table(results: Results) -> list[list[str]]:
    """Say under each rule how many claims of 50 are believed, by claimant."""
    rows = []
    for rule, title in RULES.items():
        forgers = ", ".join(f"{name} {_believed(results, rule, name)}" for name in _forgers(rule))
        honest = [str(_believed(results, rule, name)) for name in (forging.OWNER, forging.STRANGER)]
        rows.append([title, *honest, forgers])
    return rows


def forgeries(results: Results) -> list[Claim]:
    """Claim which false claims are believed."""
    believed = partial(_believed, results)
    n = forging.CLAIMS * N
    court = forging.COURT
    forged = sum(believed(court, name) for name in _forgers(court))
    return [
        _count("11.picked", "Picked keys believed, handed in", believed("handed-in", "picked"), low=45, n=n),
        _count("11.promised", "Picked keys believed, promised", believed("promised", "picked"), low=25, n=n),
        _count("11.refused", "Forgeries believed in court", forged, high=1, n=n * len(_forgers(court))),
        _count("11.owners", "Owners believed in court", believed(court, forging.OWNER), low=n, n=n),
    ]


# To play with

A_DAY = (100, 1_000, 10_000)


def theft_dial(results: Results) -> ipywidgets.VBox:
    """Let the learner choose queries, answers and a limit, and see what the copy comes to, and when."""
    kinds = {title: pair for pair, title in TOLD.items()}
    kind = Dial("asks", kinds, start=("digits", "labels"))
    budget = Dial("queries", {f"{n:,}": n for n in api_theft.BUDGETS}, start=2_000)
    limit = Dial("a day", {f"{n:,}": n for n in A_DAY}, start=1_000)
    look = lambda: depict(budget_point, results, kind.value, budget.value, limit.value)  # noqa: E731
    return redraw(look, kind, budget, limit)


# The challenge

Ask = Callable[[Tensor], Tensor]
Thief = Callable[[Ask, Tensor, nn.Module], nn.Module]
"""Makes a network of what may be asked, images (20000, 1, 28, 28), and one that has learnt nothing."""
PASS = 0.96
DIGITS = 20_000


@dataclass
class _Counter:
    """A service that counts the images it was asked about."""

    model: nn.Module
    asked: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.asked += len(x)
        return answers(self.model, x, 10)


def thrifty(thief: Thief) -> Score:
    """Let a thief work on Ana's service, and count the labels it asks for."""
    service = _Counter(api_theft.victim(0))
    x = api_theft.pool(0).x[:DIGITS].clone()
    made = thief(service, x, api_theft.start_of("thief at an API", 0)).eval()
    right = accuracy(made, load("mnist").test.to(best_device()))
    says = f"{service.asked:,} labels, and {right:.2%} of 10,000 test digits."
    missed = "" if right >= PASS else f" It takes {PASS:.0%}."
    return Score(right >= PASS, float(service.asked), says + missed)


CHALLENGE = Challenge("the thriftiest thief", "labels", thrifty, ours=250)
"""The course's own: digits of which its copies so far are least sure, and shifted images."""
