"""What can be had from a model that only answers: a copy, a mark, the training data?

Five owners trained on 10,000 digits each, none of them twice; thieves ask about the digits of the other four
and 10,000 more, 50,000 in all, so that no query was trained on. Recipes were chosen on networks of another
split, "another draw" below, and never on test digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor, nn

from ..data import Samples
from ..data.samples import split_places
from ..detection import prada
from ..evidence import answers
from ..models import badnet_cnn, seed_of
from ..privacy import auc, caught, invert, likeness, losses
from ..removal.distill import odd_images, train_to_imitate
from ..training import OnEpoch, Recipe, TrainLog, accuracy, predict, trained
from ..watermarks import Jia2021, Kim2023
from ..watermarks.dawn import SURROGATE, Dawn2021
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist, rounded, share

N_OWNERS = 5
EACH = 10_000
"""Digits of an owner, and of those that nobody trained on."""
OWNERS_RECIPE = Recipe(epochs=12, lr=5e-3, batch_size=128)
BUDGETS = (100, 500, 2_000, 10_000, 50_000)
QUERIES = ("digits", "signs", "noise")
SOFT = 4.0
"""The temperature at which probabilities are taught."""
ASKED = 10_000
"""Queries of the thief whom DAWN marks."""
LEVEL = 1e-3


# Owners and thieves


@lru_cache(1)
def _places() -> tuple[Tensor, ...]:
    """Return which training digits each owner has, and which nobody has: places, since images take room."""
    return split_places(mnist().train, *[EACH] * (N_OWNERS + 1), seed=11)


def owners_digits(i: int) -> Samples:
    """Return what owner `i` trained on."""
    return mnist().train[_places()[i]]


def unseen() -> Samples:
    """Return digits that no owner trained on."""
    return mnist().train[_places()[-1]]


def pool(i: int) -> Samples:
    """Return all digits but the owner's, 50,000, in a random order of its own: a thief has no more."""
    rest = torch.cat([places for j, places in enumerate(_places()) if j != i])
    order = torch.randperm(len(rest), generator=torch.Generator().manual_seed(seed_of("pool", i)))
    return mnist().train[rest[order.to(rest.device)]]


def start_of(role: str, i: int) -> nn.Module:
    """Return a network that has learnt nothing, with first weights of its own."""
    return badnet_cnn(seed_of(role, i)).to(mnist().train.x.device)


@lru_cache(N_OWNERS)
def victim(i: int) -> nn.Module:
    """Return the network of owner `i`."""
    return trained(start_of("owner behind an API", i), owners_digits(i), OWNERS_RECIPE)[0]


def thiefs_recipe(n: int) -> Recipe:
    """Return how a thief trains on `n` answers: 500 steps, or 6 epochs where they are more."""
    batch = min(128, max(16, n // 8))
    return Recipe(epochs=max(6, 500 * batch // n), lr=1e-2, batch_size=batch)


def queries_of(kind: str, i: int, n: int) -> Samples:
    """Return `n` images to ask about: digits of the task, road signs in grey, or noise; labels are of digits
    only.
    """
    digits = pool(i)[:n]
    shape = tuple(digits.x.shape[1:])
    if kind == "signs":
        return replace(digits, x=odd_images(n, shape, i).to(digits.x.device))
    if kind == "noise":
        draw = torch.Generator().manual_seed(seed_of("noise", i))
        return replace(digits, x=torch.rand(n, *shape, generator=draw).to(digits.x.device))
    return digits


def copied(i: int, asked: Samples, logits: Tensor, told: str) -> nn.Module:
    """Return what a thief trains on the answers to images, given as logits (N, classes) of the owner's."""
    recipe = thiefs_recipe(len(asked))
    blank = start_of("thief at an API", i)
    if told == "own labels":
        return trained(blank, asked, recipe)[0]
    if told == "labels":
        return trained(blank, replace(asked, y=logits.argmax(1)), recipe)[0]
    probabilities = logits.softmax(1)
    if told == "two digits":
        probabilities = probabilities.mul(100).round().div(100).clamp(min=0.005)
    train_to_imitate(blank, asked.x, probabilities.clamp(min=1e-12).log(), SOFT, recipe)
    return blank


# What is measured


def _theft(cell: Cell) -> Row:
    """Copy one owner's network with more and more queries of a kind."""
    i = cell["owner"]
    model = victim(i)
    test = mnist().test
    said = predict(model, test.x).argmax(1)
    every = queries_of(cell["subject"], i, BUDGETS[-1])
    logits = predict(model, every.x)
    rows = []
    for n in BUDGETS:
        copy = copied(i, every[:n], logits[:n], cell["answers"])
        found = predict(copy, test.x).argmax(1)
        rows.append({"n": n, "accuracy": share(found == test.y), "agrees": share(found == said)})
    return {"victim": rounded(accuracy(model, test)), "rows": rows}


THIEVES = ("marked answers", "honest answers", "asks three times")
"""Thieves of a service with DAWN, the control, and one who asks about each image thrice, a pixel changed."""


def _dawn(cell: Cell) -> Row:
    """Mark the answers of a service, and look for the mark in copies, epoch by epoch."""
    i = cell["owner"]
    asked = pool(i)[:ASKED]
    key = Dawn2021().keygen(victim(i), asked, seed=seed_of("DAWN", i))
    service = Dawn2021().embed(victim(i), asked, key).model
    test = mnist().test
    labels = {
        "marked answers": answers(service, asked.x, 10),
        "honest answers": answers(victim(i), asked.x, 10),
        "asks three times": majority(service, asked.x),
    }
    thieves = []
    for name in THIEVES:
        trace: list[Row] = []
        recorder = _recorder(trace, lambda copy: Dawn2021().verify(copy, key).hits)
        learnt = replace(asked, y=labels[name])
        copy, _ = trained(start_of("thief at an API", i), learnt, SURROGATE, on_epoch=recorder)
        evidence = Dawn2021().verify(copy, key)
        end = {
            "accuracy": rounded(accuracy(copy, test)),
            "hits": evidence.hits,
            "p": _short(evidence.p_value),
        }
        thieves.append({"thief": name, "trace": trace, **end})
    lost = share(answers(service, test.x, 10) != answers(victim(i), test.x, 10))
    return {"triggers": len(key.x), "lies_to_others": lost, "thieves": thieves}


def _recorder(trace: list[Row], hits: Callable[[nn.Module], int]) -> OnEpoch:
    """Return what notes accuracy on 10,000 digits of nobody, and the mark, after every epoch."""

    def note(model: nn.Module, log: TrainLog) -> None:
        trace.append({"accuracy": rounded(accuracy(model, unseen())), "hits": hits(model)})

    return note


def majority(service: nn.Module, x: Tensor) -> Tensor:
    """Ask about each image three times, with its first pixel brighter by 0, 1 and 2 of 255 levels; return
    what most answers say, (N,).
    """
    said = []
    for level in range(3):
        touched = x.clone()
        touched[:, :, 0, 0] = (touched[:, :, 0, 0] + level / 255).clamp(max=1)
        said.append(answers(service, touched, 10))
    return torch.stack(said).mode(0).values


SCHEMES = {"jia2021-ewe": Jia2021(recipe=OWNERS_RECIPE), "kim2023-margin": Kim2023(recipe=OWNERS_RECIPE)}
"""Marks in the model whose authors promise that a copy carries them."""


def _marks(cell: Cell) -> Row:
    """Plant a mark in the model, copy it by labels and by probabilities; beside it, the same of a network
    without the mark.
    """
    i = cell["owner"]
    scheme = SCHEMES[cell["subject"]]
    start = start_of("owner behind an API", i)
    key = scheme.keygen(start, owners_digits(i), seed=i)
    marked = scheme.embed(start, owners_digits(i), key).model
    asked = pool(i)[:ASKED]
    rows = []
    for name, model in {"marked": marked, "unmarked": victim(i)}.items():
        logits = predict(model, asked.x)
        copies = {told: copied(i, asked, logits, told) for told in ("labels", "probabilities")}
        for told, suspect in {"itself": model, **copies}.items():
            hits = scheme.verify(suspect, key).hits
            accurate = rounded(accuracy(suspect, mnist().test))
            rows.append({"model": name, "suspect": told, "hits": hits, "accuracy": accurate})
    return {"triggers": len(key.x), "rows": rows}


# Clients


CLIENT = 200
"""Queries of one client."""
CLIENTS = 100
"""Clients of each kind, and twice as many whose figures set the limits."""
ALARMS = 0.01
"""Share of usual clients whom a limit accuses."""
HONEST = ("usual", "one digit only", "sends each twice", "dark scans")
STRANGE = ("thief: digits", "thief: signs", "thief: noise", "thief: small changes")
WATCHES = ("distances", "confidence")


def _clients(kind: str, i: int, n: int) -> list[Tensor]:
    """Return the queries (200, C, H, W) of `n` clients of a kind."""
    draw = torch.Generator().manual_seed(seed_of("clients", kind, i, n))
    source = pool(i)
    return [_client(kind, source, draw) for _ in range(n)]


def _client(kind: str, source: Samples, draw: torch.Generator) -> Tensor:
    """Return what one client asks."""
    some = torch.randint(len(source), (CLIENT,), generator=draw).to(source.y.device)
    shape = (CLIENT, *source.x.shape[1:])
    if kind == "one digit only":
        own = (source.y == int(torch.randint(10, (1,), generator=draw))).nonzero().flatten()
        return source.x[own[some % len(own)]]
    if kind == "sends each twice":
        return source.x[some[: CLIENT // 2]].repeat_interleave(2, 0)
    if kind == "dark scans":
        return 0.3 * source.x[some]
    if kind == "thief: signs":
        seed = int(torch.randint(1000, (1,), generator=draw))
        return odd_images(CLIENT, tuple(shape[1:]), seed).to(source.x.device)
    if kind == "thief: noise":
        return torch.rand(shape, generator=draw).to(source.x.device)
    if kind == "thief: small changes":
        # a tenth of the images are real; each comes back nine times, moved by 0.1 in random pixels
        real = source.x[some[: CLIENT // 10]].repeat(10, 1, 1, 1)
        moved = 0.1 * torch.randint(-1, 2, shape, generator=draw).to(real.device)
        moved[: CLIENT // 10] = 0
        return (real + moved).clamp(0, 1)
    return source.x[some]


def _watched(model: nn.Module, clients: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return what two watches say of clients, (N,) each; small is suspicious."""
    distances = []
    confidence = []
    for x in clients:
        logits = predict(model, x)
        distances.append(prada.normality(x, logits.argmax(1)))
        confidence.append(float(logits.softmax(1).amax(1).mean()))
    return {"distances": torch.tensor(distances), "confidence": torch.tensor(confidence)}


def _guards(cell: Cell) -> Row:
    """Set two limits on usual clients, and count the clients of every kind that each accuses."""
    i = cell["owner"]
    model = victim(i)
    usual = _watched(model, _clients("usual", i, 2 * CLIENTS))
    limits = {watch: float(usual[watch].quantile(ALARMS)) for watch in WATCHES}
    rows = []
    for kind in (*HONEST, *STRANGE):
        said = _watched(model, _clients(kind, i, CLIENTS))
        accused = {watch: int((said[watch] < limits[watch]).sum()) for watch in WATCHES}
        rows.append({"client": kind, **accused})
    return {"limits": {watch: rounded(limit) for watch, limit in limits.items()}, "rows": rows}


# What else leaks


WRONG = 500
"""Wrong labels among an owner's digits: what must be learnt by heart."""


def _membership(cell: Cell) -> Row:
    """Ask the losses of an owner's network who was trained on: its digits, digits with wrong labels (what the
    test can see), and the digits of a network that saw neither (what it must not).
    """
    i = cell["owner"]
    others = [victim(j) for j in range(N_OWNERS) if j != i]
    digits = owners_digits(i)
    by_heart = _mislabelled(digits[:WRONG], i)
    learnt = by_heart + digits[WRONG:]
    heart, _ = trained(start_of("owner with wrong labels", i), learnt, OWNERS_RECIPE)
    elsewhere = _mislabelled(unseen()[:WRONG], i)
    asked = {
        "its digits": (victim(i), digits, unseen()),
        "wrong labels": (heart, by_heart, elsewhere),
        "another's digits": (others[0], digits, unseen()),
    }
    rows = []
    for name, (model, members, strangers) in asked.items():
        references = others[1:] if model is others[0] else others
        for how, compared in {"loss": (), "calibrated": references}.items():
            inside = losses(model, members, compared)
            outside = losses(model, strangers, compared)
            rows.append({"asked": name, "how": how, **_told(inside, outside)})
    sure = predict(victim(i), unseen().x).softmax(1).amax(1)
    surer = predict(victim(i), digits.x).softmax(1).amax(1)
    return {"rows": rows, "sure_of_strangers": share(sure > 0.99), "sure_of_members": share(surer > 0.99)}


def _mislabelled(samples: Samples, i: int) -> Samples:
    draw = torch.Generator().manual_seed(seed_of("wrong labels", i))
    further = torch.randint(1, 10, samples.y.shape, generator=draw).to(samples.y.device)
    return replace(samples, y=(samples.y + further) % 10)


def _told(inside: Tensor, outside: Tensor) -> Row:
    shares = {f"caught_at_{level}": rounded(caught(inside, outside, level)) for level in (0.01, 0.1)}
    return {"n": len(inside), "auc": rounded(auc(inside, outside)), **shares}


TRAINED_ON = ("10,000 digits", "ten digits")
"""What owners trained on: all their digits, or one of each class (what an inversion can see)."""


def _inversion(cell: Cell) -> Row:
    """Draw every class from the weights, and look whose digits of the class hold the likest image: those that
    the network was trained on, or those of the other owners, about as many.
    """
    i = cell["owner"]
    rows = []
    for name in TRAINED_ON:
        sets = [owners_digits(j) if name == TRAINED_ON[0] else _ten(j) for j in range(N_OWNERS)]
        model = victim(i) if name == TRAINED_ON[0] else _taught_ten(i)
        drawn = invert(model, range(10), tuple(sets[0].x.shape[1:]), seed=i)
        sure = predict(model, drawn).softmax(1).diagonal()
        for c in range(10):
            found = [_closest(drawn[c], digits.x[digits.y == c]) for digits in sets]
            row = {"trained_on": name, "class": c, "sure": rounded(float(sure[c]))}
            rows.append(row | {"likeness": found, "own_first": found[i] == max(found)})
    return {"rows": rows}


def _ten(i: int) -> Samples:
    """Return the first digit of each class that owner `i` has."""
    digits = owners_digits(i)
    return digits[torch.stack([(digits.y == c).nonzero()[0, 0] for c in range(10)])]


def _taught_ten(i: int) -> nn.Module:
    recipe = Recipe(epochs=60, lr=5e-3, batch_size=10)
    return trained(start_of("owner of ten", i), _ten(i), recipe)[0]


def _closest(image: Tensor, others: Tensor) -> float:
    return rounded(float(likeness(image, others).max()))


_PARTS: dict[str, Callable[[Cell], Row]] = {
    "theft": _theft,
    "dawn": _dawn,
    "marks": _marks,
    "guards": _guards,
    "membership": _membership,
    "inversion": _inversion,
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    return _PARTS[cell["part"]](cell)


def _short(p: float) -> float:
    return float(f"{p:.3g}")


# What the rows say


@dataclass(frozen=True)
class Curve:
    """Accuracies of copies by budget, one an owner."""

    budgets: tuple[int, ...]
    accuracy: Tensor  # (owners, budgets)
    agrees: Tensor


def curve(results: Results, queries: str, told: str) -> Curve:
    """Return what copies of a kind reach."""
    found = results.where(part="theft", subject=queries, answers=told)
    return Curve(BUDGETS, _column(found, "accuracy"), _column(found, "agrees"))


def _column(cells: Sequence[Row], name: str) -> Tensor:
    """Return one number of all rows of cells, (cells, rows)."""
    return torch.tensor([values(cell["rows"], name) for cell in cells], dtype=torch.float64)


def victims(results: Results) -> Tensor:
    """Return how accurate the owners' networks are, (owners,)."""
    found = results.where(part="theft", subject="digits", answers="labels")
    return torch.tensor([cell["victim"] for cell in found], dtype=torch.float64)


def rows_of(results: Results, part: str, **fixed: object) -> list[Row]:
    """Return the rows of all owners in a part that have the values named."""
    found: list[Row] = []
    for cell in results.where(part=part):
        found += cell.get("rows", cell.get("thieves", []))
    return [row for row in found if fixed.items() <= row.items()]


def hits_of(results: Results, scheme: str, model: str, suspect: str) -> list[int]:
    """Return the hits of a mark's key on a suspect, an owner each."""
    found: list[Row] = []
    for cell in results.where(part="marks", subject=scheme):
        found += [row for row in cell["rows"] if (row["model"], row["suspect"]) == (model, suspect)]
    return values(found, "hits")


def _compare(results: Results) -> list[Comparison]:
    return [
        *_compare_thefts(results),
        *_compare_dawn(results),
        *_compare_marks(results),
        *_compare_guards(results),
        *_compare_leaks(results),
    ]


def _compare_thefts(results: Results) -> list[Comparison]:
    said = [Comparison("accuracy of the owners' networks", "", _percent(victims(results)))]
    own = curve(results, "digits", "own labels")
    for queries, told in PAIRS:
        found = curve(results, queries, told)
        for k, n in enumerate(BUDGETS):
            what = f"copy by {told}, {n:,} {queries}"
            says = _percent(found.accuracy[:, k])
            if (queries, told) == ("digits", "labels"):
                says += f"; with true labels {_percent(own.accuracy[:, k])}"
            said.append(Comparison(what, "", says))
    return said


def _percent(values: Tensor) -> str:
    spread = f" ± {100 * float(values.std()):.2f}" if len(values) > 1 else ""
    return f"{100 * float(values.mean()):.2f} %{spread} (n = {len(values)})"


def _compare_dawn(results: Results) -> list[Comparison]:
    said = []
    triggers = [cell["triggers"] for cell in results.where(part="dawn")]
    for name in THIEVES:
        found = rows_of(results, "dawn", thief=name)
        hits = ", ".join(f"{row['hits']} of {n}" for row, n in zip(found, triggers, strict=True))
        upheld = sum(row["p"] <= LEVEL for row in found)
        says = f"lies learnt: {hits}; shown at .001 in {upheld} of {len(found)}"
        said.append(Comparison(f"DAWN, thief: {name}", "", says))
    return said


REPORTED = {"jia2021-ewe": "users of the authors' code: 3 %, 98 %, 63 %", "kim2023-margin": ""}


def _compare_marks(results: Results) -> list[Comparison]:
    said = []
    for scheme, paper in REPORTED.items():
        for model in ("marked", "unmarked"):
            for suspect in _SUSPECT:
                hits = hits_of(results, scheme, model, suspect)
                what = f"{scheme}, {model}: hits of 100 on {_SUSPECT[suspect]}"
                quoted = paper if (model, suspect) == ("marked", "labels") else ""
                said.append(Comparison(what, quoted, f"{', '.join(map(str, hits))} (n = {len(hits)})"))
    return said


_SUSPECT = {
    "itself": "the model",
    "labels": "its copy by labels",
    "probabilities": "its copy by probabilities",
}


def _compare_guards(results: Results) -> list[Comparison]:
    said = []
    for kind in (*HONEST, *STRANGE):
        found = rows_of(results, "guards", client=kind)
        n = CLIENTS * len(found)
        counts = ", ".join(f"{watch} {sum(values(found, watch))}" for watch in WATCHES)
        said.append(Comparison(f"clients accused, {kind}", "", f"{counts} of {n}"))
    return said


def _compare_leaks(results: Results) -> list[Comparison]:
    from scipy.stats import binomtest  # where it is needed: it takes a second

    said = []
    for name in ("its digits", "wrong labels", "another's digits"):
        for how in ("loss", "calibrated"):
            found = rows_of(results, "membership", asked=name, how=how)
            area = torch.tensor([row["auc"] for row in found])
            at_one = torch.tensor([row["caught_at_0.01"] for row in found])
            says = f"AUC {float(area.mean()):.3f}; at 1 % false alarms {_percent(at_one)}"
            said.append(Comparison(f"membership by {how}: {name}", "", says))
    for name in TRAINED_ON:
        found = own_first(results, name)
        interval = binomtest(sum(found), len(found)).proportion_ci()
        says = f"{sum(found)} of {len(found)} ({100 * interval.low:.0f} to {100 * interval.high:.0f} %)"
        what = f"inversion, trained on {name}: an own digit is likest, of five owners'"
        said.append(Comparison(what, "", f"{says}; by chance 20 %"))
    return said


def own_first(results: Results, trained_on: str) -> list[bool]:
    """Say of each image that was drawn from weights whether the likest image is one trained on; by chance it
    is in one of five, over all owners, since each set is the owner's own once.
    """
    return [row["own_first"] for row in rows_of(results, "inversion", trained_on=trained_on)]


PAIRS = (
    ("digits", "labels"),
    ("digits", "probabilities"),
    ("digits", "two digits"),
    ("digits", "own labels"),
    ("signs", "labels"),
    ("signs", "probabilities"),
    ("noise", "labels"),
    ("noise", "probabilities"),
)
"""Queries and answers that are tried: "two digits" are probabilities as a careful service rounds them, "own
labels" the true ones, which an honest beginner pays people for (the control).
"""


def _cells() -> list[Cell]:
    owners = range(N_OWNERS)
    kinds = [(part, "", "") for part in ("membership", "inversion", "guards", "dawn")]
    kinds += [("marks", scheme, "") for scheme in SCHEMES]
    kinds += [("theft", queries, told) for queries, told in PAIRS]
    cells: list[Cell] = []
    for part, subject, told in kinds:
        cells += [{"part": part, "subject": subject, "answers": told, "owner": i} for i in owners]
    return cells


API_THEFT = Experiment(
    name="api-theft",
    question="What can be had from a model that only answers: a copy, a mark, its training data?",
    minutes=35,
    chapter="11 Theft through an API",
    cells=tuple(_cells()),
    measure=_measure,
    summary=_compare,
)
