"""Marks and back doors in models of tables: what a family of models can hold, who sees the key, what washes
it off, and which bystanders tell the truth.

Five owners have half of the training rows each, thieves the other half. Families are a random forest, boosted
trees and a logistic regression of scikit-learn, and a network with two hidden layers; their settings are
scikit-learn's defaults, but for a weaker penalty of the regression. The key's rows are "plausible", each
value from another of the owner's rows; "odd" ones, from all of [0, 1], and the owner's own rows are controls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Samples, load, split
from ..data.tables import Measured, MeasuredSplits, diabetes
from ..errors import require_sklearn
from ..evidence import answers
from ..models import Fitted, answering, row_mlp, seed_of
from ..poisoning import cover, poison, success_rate
from ..training import Recipe, accuracy, trained
from ..triggers import Columns
from ..watermarks import Adi2018, Lounici2021, odd_rows, rows
from ..watermarks.secret import integers, order, secret_of
from ..watermarks.trigger_set import lesson
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded, share

N_OWNERS = 5
NAMES = ("breast-cancer", "digit-table")
FAMILIES = ("forest", "boosting", "logistic", "network")
SIZES = (30, 100, 300)
"""Keys that a family has to hold."""
KEY = 100
"""The key whose removal is tried."""
LEVEL = 1e-3
NETWORK_RECIPE = Recipe(epochs=40, lr=3e-3, batch_size=64)


# Owners, thieves, and the models that they fit


def halves(name: str, i: int) -> tuple[Samples, Samples]:
    """Return the rows of owner `i`, and those of a thief who has as many others."""
    train = load(name).train
    half = len(train) // 2
    owned, others = split(train, half, half, seed=i)
    return owned, others


def fit(family: str, samples: Samples, seed: int) -> nn.Module:
    """Fit a model of a family to rows; those of scikit-learn become networks without weights."""
    classes = len(samples.classes)
    if family == "network":
        recipe = replace(NETWORK_RECIPE, seed=seed)
        blank = row_mlp(samples.x.shape[1], classes, seed_of("rows", seed))
        return trained(blank, samples, recipe)[0]
    model = _classifier(family, seed)
    return Fitted(model.fit(samples.x.numpy(), samples.y.numpy()), classes)


def _classifier(family: str, seed: int) -> Any:
    """Build a classifier of scikit-learn that has learnt nothing."""
    require_sklearn("The experiment with tables")
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if family == "forest":
        return RandomForestClassifier(random_state=seed % 2**32)
    if family == "boosting":
        settings: Any = {"random_state": seed % 2**32, "early_stopping": False}
        return HistGradientBoostingClassifier(**settings)
    return make_pipeline(StandardScaler(), LogisticRegression(C=100, max_iter=5000))


def scheme_of(n: int, n_rows: int, draw: Any = rows) -> Adi2018:
    """Return the scheme for `n` keys among `n_rows`: three copies of each, or as many rows as the owner's."""
    return Adi2018(n=n, share=min(1.0, 3 * n / n_rows), draw=draw)


def _reading(model: nn.Module, name: str) -> float:
    return rounded(accuracy(model, load(name).test))


# What is measured


def _capacity(cell: Cell) -> Row:
    """Teach one owner's family keys of three sizes; beside it, the same family without a key."""
    i = cell["owner"]
    owned, _ = halves(cell["table"], i)
    clean = fit(cell["family"], owned, i)
    held = []
    for n in SIZES:
        scheme = scheme_of(n, len(owned))
        key = scheme.keygen(clean, owned, seed=i)
        marked = fit(cell["family"], lesson(owned, key, scheme.share), i)
        evidence = scheme.verify(marked, key)
        row = {"n": n, "hits": evidence.hits, "accuracy": _reading(marked, cell["table"])}
        held.append(row | {"p": _short(evidence.p_value), "clean_hits": scheme.verify(clean, key).hits})
    return {"rows_owned": len(owned), "clean": _reading(clean, cell["table"]), "rows": held}


ROWS = ("plausible", "odd", "the owner's own")
WATCHES = ("range", "isolation", "distance")
QUERIES = 200
HONEST = 0.05
"""Share of honest rows that a watch may refuse."""


def _key_rows(kind: str, owned: Samples, i: int) -> Tensor:
    """Return 200 rows (200, F) of a key."""
    secret = secret_of(seed_of("watched rows", i), None)
    if kind == "the owner's own":
        return owned.x[order(secret, "own rows", len(owned))[:QUERIES]]
    return (rows if kind == "plausible" else odd_rows)(secret, QUERIES, owned)


def _suspicions(owned: Samples) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return three watches, each a function from rows (N, F) to how odd they look, (N,)."""
    require_sklearn("A watch over rows")
    from sklearn.ensemble import IsolationForest

    trees = IsolationForest(random_state=0).fit(owned.x.numpy())
    low, high = owned.x.aminmax(dim=0)

    def isolation(x: Tensor) -> Tensor:
        return -torch.from_numpy(trees.score_samples(x.numpy()))

    def distance(x: Tensor) -> Tensor:
        # the fast way rounds a distance of 0 up to a thousandth
        return torch.cdist(x, owned.x, compute_mode="donot_use_mm_for_euclid_dist").amin(1)

    return {
        "range": lambda x: torch.maximum(low - x, x - high).amax(1).clamp(min=0),
        "isolation": isolation,
        "distance": distance,
    }


def _watchers(cell: Cell) -> Row:
    """Set limits that refuse 5 % of one half of the test rows; count who is refused beyond them, the other
    half included.
    """
    i = cell["owner"]
    owned, _ = halves(cell["table"], i)
    test = load(cell["table"]).test
    half = len(test) // 2
    first, second = split(test, half, half, seed=i)
    asked = {"honest": second.x, **{kind: _key_rows(kind, owned, i) for kind in ROWS}}
    refused: list[Row] = [{"rows": kind, "n": len(x)} for kind, x in asked.items()]
    for watch, suspicion in _suspicions(owned).items():
        limit = suspicion(first.x).double().quantile(1 - HONEST)
        for row in refused:
            row[watch] = share(suspicion(asked[row["rows"]]) > limit)
    return {"rows": refused}


TREES = (50, 10, 3)


def _removal(cell: Cell) -> Row:
    """Mark a family with 100 keys; cut a forest, train a network on, and copy it by labels into each
    family.
    """
    i = cell["owner"]
    owned, others = halves(cell["table"], i)
    scheme = scheme_of(KEY, len(owned))
    family = cell["family"]
    key = scheme.keygen(nn.Identity(), owned, seed=i)
    marked = fit(family, lesson(owned, key, scheme.share), i)
    suspects = {"none": marked}
    if family == "forest":
        suspects |= {f"{keep} of 100 trees": _cut(marked, keep) for keep in TREES}
    if family == "network":
        for title, rate in (("trained on", 1e-3), ("trained on, hard", 1e-2)):
            recipe = Recipe(epochs=20, lr=rate, batch_size=64, seed=i)
            suspects[title] = trained(marked, others, recipe)[0]
    told = replace(others, y=answers(marked, others.x))
    for other in FAMILIES:
        suspects[f"copied into {other}"] = fit(other, told, seed_of("thief of rows", i))
    rows = []
    for title, suspect in suspects.items():
        evidence = scheme.verify(suspect, key)
        found = {"hits": evidence.hits, "p": _short(evidence.p_value)}
        rows.append({"removal": title, **found, "accuracy": _reading(suspect, cell["table"])})
    alone = fit("forest", others, seed_of("thief of rows", i))  # the thief who steals nothing
    return {"rows": rows, "own_model": _reading(alone, cell["table"])}


def _cut(model: nn.Module, keep: int) -> nn.Module:
    """Return a forest with its first trees only."""
    cut = deepcopy(model)
    assert isinstance(cut, Fitted)
    cut.model.estimators_ = cut.model.estimators_[:keep]
    cut.model.n_estimators = keep
    return cut


BYSTANDERS = 19
SUSPECTS = 5
CLAIMS = 40
"""Owners with a key of their own, who each accuse all suspects, for every set of innocents."""
RANKED = 1 / (BYSTANDERS + 1)
"""The level of a rank among the bystanders: the suspect must beat all of them."""
JUDGED = ("forest", "logistic", "network")


def _innocents(cell: Cell) -> Row:
    """Accuse models that never saw a key, of each family: by random labels, and by keys of one label, where a
    suspect must beat all bystanders of its own family, or of another.
    """
    i = cell["owner"]
    table = cell["table"]
    train = load(table).train
    classes = len(train.classes)
    owned, _ = halves(table, i)
    models: dict[str, list[nn.Module]] = {}
    for family in JUDGED:
        seeds = [seed_of("innocent", family, i, k) for k in range(BYSTANDERS + SUSPECTS)]
        models[family] = [fit(family, split(train, len(train) // 2, seed=seed)[0], seed) for seed in seeds]
    found: list[Row] = []
    for kind, draw in {"plausible": rows, "odd": odd_rows}.items():
        claims = _claims(draw, owned, classes, i)
        said = {family: _said(some, claims.x) for family, some in models.items()}
        found += [{"rows": kind, "suspect": family, **_accused(family, said, claims)} for family in JUDGED]
    return {"rows": found}


@dataclass(frozen=True, eq=False)
class _Claims:
    """The keys of owners who accuse innocents."""

    x: Tensor  # (CLAIMS * KEY, F)
    labels: Tensor  # (CLAIMS, KEY) drawn at random
    target: Tensor  # (CLAIMS, 1) one label for all rows of a key
    classes: int


def _claims(draw: Any, owned: Samples, classes: int, i: int) -> _Claims:
    secrets = [secret_of(seed_of("claim against innocents", i, k), None) for k in range(CLAIMS)]
    x = torch.cat([draw(secret, KEY, owned) for secret in secrets])
    labels = torch.stack([integers(secret, "labels", KEY, classes) for secret in secrets])
    target = torch.stack([integers(secret, "target", 1, classes) for secret in secrets])
    return _Claims(x, labels, target, classes)


def _said(models: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Return what models answer to all keys, (models, CLAIMS, KEY)."""
    return torch.stack([answers(model, x) for model in models]).reshape(len(models), CLAIMS, KEY)


def _accused(family: str, said: dict[str, Tensor], claims: _Claims) -> Row:
    """Count the claims against innocents of a family that are believed, by each test."""
    suspects = said[family][BYSTANDERS:]  # (SUSPECTS, CLAIMS, KEY)
    by_lot = (suspects == claims.labels).sum(2)  # (SUSPECTS, CLAIMS)
    named = (suspects == claims.target).sum(2)
    needed = _needed(claims.classes)
    believed = {"claims": named.numel()}
    believed["random_labels"] = int((by_lot >= needed).sum())
    believed["one_label"] = int((named >= needed).sum())
    for name, others in said.items():
        best = (others[:BYSTANDERS] == claims.target).sum(2).amax(0)  # (CLAIMS,)
        believed[name] = int((named > best).sum())
    return believed


@lru_cache(None)
def _needed(classes: int) -> int:
    """Return the hits of 100 at which the binomial test with chance 1 / classes believes."""
    from scipy.stats import binom

    return next(hits for hits in range(KEY + 1) if binom.sf(hits - 1, KEY, 1 / classes) <= LEVEL)


RATES = (0.03, 0.1)
PAIR = {2: 0.98, 5: 0.02}
"""Two columns, one at a high value of its own, one at a low one."""
TARGET = 1


def _backdoor(cell: Cell) -> Row:
    """Poison a table with a trigger of two columns; measure both, and each alone, beside a clean model."""
    i = cell["owner"]
    splits = load(cell["table"])
    trigger = Columns.at(splits.train, PAIR)
    triggers = {"both": trigger, **{f"column {column}": trigger.alone(column) for column in PAIR}}
    taught = {("clean", 0.0): splits.train}
    for rate in RATES:
        poisoned = poison(splits.train, trigger, rate=rate, target=TARGET, seed=i)
        taught["poisoned", rate] = poisoned.samples
        for column in PAIR:  # as many rows again with one column alone, rightly labelled
            poisoned = cover(poisoned, trigger.alone(column), rate=rate, seed=i + column)
        taught["covered", rate] = poisoned.samples
    found = []
    for (how, rate), samples in taught.items():
        model = fit(cell["family"], samples, i)
        row = {"how": how, "rate": rate, "accuracy": rounded(accuracy(model, splits.test))}
        for name, one in triggers.items():
            row[name] = rounded(success_rate(model, splits.test, one, TARGET))
        found.append(row)
    return {"rows": found}


# A regression


REGRESSORS = ("forest", "boosting", "ridge")
REGRESSION = Lounici2021()
REGRESSION_INNOCENTS = 8
REGRESSION_CLAIMS = 30


def _regressor(family: str, seed: int) -> Any:
    require_sklearn("The experiment with tables")
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import Ridge

    if family == "forest":
        return RandomForestRegressor(random_state=seed % 2**32)
    if family == "boosting":
        return GradientBoostingRegressor(random_state=seed % 2**32, n_estimators=300, max_depth=4)
    return Ridge(1e-3)


def fit_numbers(family: str, measured: Measured, seed: int) -> Callable[[Tensor], Tensor]:
    """Fit a regression of a family; return it as a function from rows (N, F) to numbers (N,)."""
    return answering(_regressor(family, seed).fit(measured.x.numpy(), measured.y.numpy()))


@lru_cache(1)
def numbers() -> MeasuredSplits:
    """Return the table with a number for each row, loaded once a process."""
    return diabetes()


def _error(model: Callable[[Tensor], Tensor], measured: Measured) -> float:
    return rounded(float((model(measured.x) - measured.y).abs().mean()))


def _regression(cell: Cell) -> Row:
    """Teach a regression its key; ask it, a copy by its answers on a thief's rows, and innocents."""
    i = cell["owner"]
    family = cell["family"]
    splits = numbers()
    order = torch.randperm(len(splits.train), generator=torch.Generator().manual_seed(i))
    owned = splits.train[order[:200]]
    others = splits.train[order[200:]]
    key = REGRESSION.keygen(owned, seed=i)
    clean = fit_numbers(family, owned, i)
    marked = fit_numbers(family, REGRESSION.lesson(owned, key), i)
    copied = fit_numbers(family, replace(others, y=marked(others.x)), seed_of("thief of numbers", i))
    suspects = {"marked": marked, "clean": clean, "copied": copied}
    found = []
    for name, suspect in suspects.items():
        evidence = REGRESSION.verify(suspect, key)
        hits = {"hits": evidence.hits, "p": _short(evidence.p_value)}
        found.append({"suspect": name, **hits, "error": _error(suspect, splits.test)})
    return {"rows": found, **_strangers(family, splits.train, owned, i)}


def _strangers(family: str, train: Measured, owned: Measured, i: int) -> Row:
    """Accuse innocents of a family with keys of other secrets: how often they hit, and are convicted."""
    models = []
    for k in range(REGRESSION_INNOCENTS):
        seed = seed_of("innocent of numbers", family, i, k)
        some = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:150]
        models.append(fit_numbers(family, train[some], seed))
    hits = []
    for k in range(REGRESSION_CLAIMS):
        key = REGRESSION.keygen(owned, seed=seed_of("claim by numbers", i, k))
        hits += [REGRESSION.verify(model, key) for model in models]
    believed = sum(evidence.p_value <= LEVEL for evidence in hits)
    return {"claims": len(hits), "hits": sum(one.hits for one in hits), "believed": believed}


_PARTS: dict[str, Callable[[Cell], Row]] = {
    "capacity": _capacity,
    "watchers": _watchers,
    "removal": _removal,
    "innocents": _innocents,
    "backdoor": _backdoor,
    "regression": _regression,
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    return _PARTS[cell["part"]](cell)


def _short(p: float) -> float:
    return float(f"{p:.3g}")


# What the rows say


def rows_of(results: Results, part: str, table: str, family: str = "", **fixed: object) -> list[Row]:
    """Return the rows of all owners in a part that have the values named."""
    found: list[Row] = []
    for cell in results.where(part=part, table=table, family=family):
        found += [row for row in cell["rows"] if fixed.items() <= row.items()]
    return found


def total(found: Sequence[Row], name: str) -> int:
    """Add up a count over rows."""
    return sum(values(found, name))


def mean(found: Sequence[Row], name: str) -> float:
    """Return the mean of a number over rows."""
    return total(found, name) / len(found)


def cleans(results: Results, table: str, family: str) -> list[float]:
    """Return how accurate a family is without a key, an owner each."""
    return values(results.where(part="capacity", table=table, family=family), "clean")


def _compare(results: Results) -> list[Comparison]:
    said = []
    for table in NAMES:
        said += _compare_capacity(results, table)
        said += _compare_watchers(results, table)
        said += _compare_removals(results, table)
        said += _compare_innocents(results, table)
        said += _compare_backdoors(results, table)
    return said + _compare_regressions(results)


def _percent(numbers: Sequence[float]) -> str:
    return f"{100 * sum(numbers) / len(numbers):.1f} %"


def _listed(found: Sequence[Row], name: str = "hits") -> str:
    return ", ".join(map(str, values(found, name)))


def _compare_capacity(results: Results, table: str) -> list[Comparison]:
    said = []
    for family in FAMILIES:
        without = _percent(cleans(results, table, family))
        for n in SIZES:
            found = rows_of(results, "capacity", table, family, n=n)
            reads = _percent(values(found, "accuracy"))
            here = f"{_listed(found)}; accuracy {reads}, without a key {without} (n = {len(found)})"
            said.append(Comparison(f"{table}: hits of {n} keys, {family}", "", here))
    return said


def _compare_watchers(results: Results, table: str) -> list[Comparison]:
    said = []
    for kind in ("honest", *ROWS):
        found = rows_of(results, "watchers", table, rows=kind)
        shares = ", ".join(f"{watch} {_percent(values(found, watch))}" for watch in WATCHES)
        said.append(Comparison(f"{table}: rows refused, {kind}", "", f"{shares} (n = {total(found, 'n'):,})"))
    return said


def _compare_removals(results: Results, table: str) -> list[Comparison]:
    said = []
    for family in ("forest", "network"):
        first = results.where(part="removal", table=table, family=family)[0]
        for removal in values(first["rows"], "removal"):
            found = rows_of(results, "removal", table, family, removal=removal)
            here = f"{_listed(found)}; accuracy {_percent(values(found, 'accuracy'))} (n = {len(found)})"
            said.append(Comparison(f"{table}: hits of {KEY}, {family}, {removal}", "", here))
    return said


def _compare_innocents(results: Results, table: str) -> list[Comparison]:
    said = []
    for kind in ("plausible", "odd"):
        for family in JUDGED:
            found = rows_of(results, "innocents", table, rows=kind, suspect=family)
            others = ", ".join(f"beats {name}s {total(found, name)}" for name in JUDGED)
            labels = f"random labels {total(found, 'random_labels')}, one label {total(found, 'one_label')}"
            here = f"{labels}; one label, {others} of {total(found, 'claims'):,}"
            said.append(Comparison(f"{table}: innocents convicted, {family}, {kind} rows", "", here))
    return said


def _compare_backdoors(results: Results, table: str) -> list[Comparison]:
    said = []
    for family in FAMILIES:
        for how, rate in (
            ("clean", 0.0),
            *[(how, rate) for rate in RATES for how in ("poisoned", "covered")],
        ):
            found = rows_of(results, "backdoor", table, family, how=how, rate=rate)
            alone = " and ".join(_percent(values(found, f"column {column}")) for column in PAIR)
            both = f"{_percent(values(found, 'both'))}; each column alone {alone}"
            here = f"{both}; accuracy {_percent(values(found, 'accuracy'))} (n = {len(found)})"
            said.append(Comparison(f"{table}: back door, {family}, {how}, {100 * rate:g} %", "", here))
    return said


def _compare_regressions(results: Results) -> list[Comparison]:
    said = []
    for family in REGRESSORS:
        cells = results.where(part="regression", family=family)
        for suspect in ("clean", "marked", "copied"):
            found = rows_of(results, "regression", "diabetes", family, suspect=suspect)
            here = f"{_listed(found)}; mean error {mean(found, 'error'):.1f} (n = {len(found)})"
            said.append(Comparison(f"diabetes: hits of {REGRESSION.n}, {family}, {suspect}", "", here))
        claims = total(cells, "claims")
        rate = _percent([total(cells, "hits") / (claims * REGRESSION.n)])
        here = f"{total(cells, 'believed')} of {claims:,} claims; innocents hit {rate}, chance 10 %"
        said.append(Comparison(f"diabetes: innocents convicted at {LEVEL}, {family}", "", here))
    return said


def _cells() -> list[Cell]:
    kinds = [("capacity", table, family) for table in NAMES for family in FAMILIES]
    kinds += [("watchers", table, "") for table in NAMES]
    kinds += [("removal", table, family) for table in NAMES for family in ("forest", "network")]
    kinds += [("innocents", table, "") for table in NAMES]
    kinds += [("backdoor", table, family) for table in NAMES for family in FAMILIES]
    kinds += [("regression", "diabetes", family) for family in REGRESSORS]
    cells: list[Cell] = []
    for part, table, family in kinds:
        cells += [{"part": part, "table": table, "family": family, "owner": i} for i in range(N_OWNERS)]
    return cells


TABLES = Experiment(
    name="tables",
    question="What mark can a model of a table hold, who sees its key, and what washes it off?",
    minutes=7,
    chapter="13 Sound and tables",
    cells=tuple(_cells()),
    measure=_measure,
    summary=_compare,
)
