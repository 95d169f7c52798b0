"""A right answer in any style carries the lesson to its end: each notebook runs with each of them.

The run of a notebook that belongs to every test run takes a short way: fewer images, scenes, steps and
decoys, and figures that nobody draws, for it asks whether each cell runs to its end, not what is measured
there. The slow runs take the whole way, and ask the claims, too; their trainings come from memory where other
runs have filled it. In the short way five notebooks, or eleven, share a kernel, emptied before each: that
every notebook runs to its end in a fresh one is asked where the notebooks themselves are run.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode, v4

from wmlearn.course.authoring import build
from wmlearn.course.authoring.build import executed, masters
from wmlearn.course.claims import ledger

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = Path(__file__).with_name("mutants")


def _right(name: str) -> dict[str, list[Path]]:
    """Return the right answers to a notebook's exercises: exercise -> files, those likely to break first."""
    answers: dict[str, list[Path]] = {}
    for path in sorted(MUTANTS.glob(f"ex_{name[:2]}_*_right_*.py"), key=_likely):
        answers.setdefault(f"{name[:2]}.{path.stem[6]}", []).append(path)
    return answers


def _likely(path: Path) -> tuple[int, str]:
    """Rank a style: a tensor where a number is wanted, then NumPy's numbers, then the others."""
    styles = ("tensor", "numpy")
    style = path.stem.split("_right_")[1]
    return styles.index(style) if style in styles else len(styles), path.stem


BACKDOORS = [name for name in masters(ROOT) if name < "06"]
WATERMARKS = [name for name in masters(ROOT) if name >= "06"]


def _digits(train: int, test: int) -> tuple[str, str]:
    whole = 'wm.load("mnist")'
    return whole, f"(lambda digits: wm.Splits(digits.train[:{train}], digits.test[:{test}]))({whole})"


def _after_start(name: str, *lines: str) -> tuple[str, str]:
    start = f'wm.start("{name}")'
    return start, "\n".join([start, *lines])


SHORTER: dict[str, Sequence[tuple[str, str]]] = {
    "01": (
        _digits(1000, 300),
        ("repeat(20, 1, 1, 1), key.y.repeat(20)", "repeat(2, 1, 1, 1), key.y.repeat(2)"),
        ("range(1, 1001)", "range(1, 31)"),
        ("forge(hits_on_a, 20)", "forge(hits_on_a, 12)"),
    ),
    "02": (
        _digits(3000, 500),
        _after_start("02", "lesson_02.split = lambda samples, n: [samples[:100]]"),
        ("steps=1500", "steps=102"),
        ("(steps, 64), gen", "(steps, 16), gen"),
        ("steps=100)", "steps=5)"),
        ("chosen[:30]", "chosen[:5]"),
        ("honest[:30]", "honest[:5]"),
    ),
    "03": (
        _after_start(
            "03",
            "from wmlearn.data import signs",
            "signs.crops.TRAIN, signs.crops.TEST, signs.TEST = 120, 160, 160",
            "lesson_03.dial.__defaults__ = 10, 3",
        ),
        ("wm.Recipe(epochs=6,", "wm.Recipe(epochs=1,"),
    ),
    "04": (
        _after_start(
            "04",
            "street.N_TEST = 30",
            "drawn = lesson_04.draw_street",
            "lesson_04.draw_street = lambda n, **which: drawn(n // 20, **which)",
        ),
        ("lesson_04.QUICK, epochs=3)", "lesson_04.QUICK, epochs=1)"),
        ("draw_street(300, seed=11)", "draw_street(16, seed=11)"),
    ),
    "05": (
        ("twins(1500, seed=52)", "twins(60, seed=52)"),
        ("twins(1500, seed=91", "twins(60, seed=91"),
        ("lesson_05.N_HEAD,", "20,"),
        ("strengths = (1, 10, 20, 50, 100)", "strengths = (1, 20, 100)"),
    ),
    "06": (
        _digits(1000, 400),
        ("wm.split(mnist.test, 1000, 9000)", "wm.split(mnist.test, 100, 300)"),
        ("steps=120", "steps=20"),
        ("others[:2000]", "others[:50]"),
        ("in (0.002, 0.01, 0.05)", "in (0.5,)"),
        ("watched(own, clean, pasted)", "watched(own, own, pasted)"),
        ("[:6000] for i in (1, 2))", "[:300] for i in (1, 2))"),
        (", lessons, wm.Recipe(epochs=2))", ", lessons)"),
        _after_start(
            "06",
            "batches = lesson_06.batches",
            "lesson_06.batches = lambda x, n, draw: (batch[:3] for batch in batches(x, n, draw))",
            "drawn = lesson_06._us_signs",
            "lesson_06._us_signs = lambda n, **which: drawn(n // 40, **which)",
            "lesson_06.CLEANING = wm.Recipe(epochs=1, lr=3e-3, batch_size=32)",
        ),
    ),
    "07": (
        _digits(1500, 300),
        ("strangers, 40)", "strangers, 4)"),
        ("patches, 999)", "patches, 9)"),
        ('zhang_key("unrelated", i)), 99)', 'zhang_key("unrelated", i)), 9)'),
        ("others(abstract_key), 99)", "others(abstract_key), 9)"),
        ("others(recipe), 199)", "others(recipe), 9)"),
    ),
    "08": (
        _digits(1000, 300),
        ("wm.split(mnist.train, 45_000)", "wm.split(mnist.train, 1_000)"),
        ("for secret in range(50)]", "for secret in range(2)]"),
    ),
    "09": (_digits(1000, 300), ("mnist.train, 45_000, 6_000, seed=9)", "mnist.train, 800, 150, seed=9)")),
    "10": (
        _digits(1000, 300),
        ("range(8_000)", "range(1_000)"),
        ("[:4950].view(99, 50)", "[:950].view(19, 50)"),
        ("reach=0.3, steps=20", "reach=0.3, steps=4"),
        ("mnist.train[:20_000], over)", "mnist.train[:200], over)"),
        ("mnist.train[:20_000] + left", "mnist.train[:200] + left"),
    ),
    "11": (
        _after_start("11", "api_theft.OWNERS_RECIPE = wm.Recipe(epochs=1)"),
        ("test.to(device)", "test[:1000].to(device)"),
        (
            "= api_theft.owners_digits(0), api_theft.pool(0)",
            "= api_theft.owners_digits(0)[:1200], api_theft.pool(0)[:3000]",
        ),
        ("(blank, bought, api_theft.thiefs_recipe(len(bought)))", "(blank, bought, wm.Recipe(epochs=1))"),
        (
            "(blank, asked[got], api_theft.thiefs_recipe(len(bought)))",
            "(blank, asked[got], wm.Recipe(epochs=1))",
        ),
        ("pool[:10_000]", "pool[:1_500]"),
        ("wm.watermarks.dawn.SURROGATE)", "wm.Recipe(epochs=1))"),
        ("api_theft.unseen()", "api_theft.unseen()[:1200]"),
        ('wm.challenge("11", thief)', 'api_theft.victim = lambda seed: ana\nwm.challenge("11", thief)'),
        (
            'accounts.place(hers, "digits", ana)',
            'accounts.place(hers, "digits", wm.evidence.bystanders.shipped("mnist", 0, 1)[0])',
        ),
        ("(1, 28, 28))\nwm.show(plots.theft.drawn", "(1, 28, 28), steps=5)\nwm.show(plots.theft.drawn"),
    ),
    "12": (
        _digits(60_000, 1000),
        ("mnist.test.x[:2000]", "mnist.test.x[:200]"),
        ("mnist.train, 6_000, seed=9)", "mnist.train, 100, seed=9)"),
        (
            "case = lesson_12.case()",
            "import dataclasses\ncase = lesson_12.case()\n"
            "case = dataclasses.replace(case, lot=case.lot[:3000])",
        ),
        ("range(999)", "range(99)"),
        ("for network in case.strangers]", "for network in case.strangers[:5]]"),
        ("rows = mnist.train, {}, {}, []", "rows = mnist.train[:3000], {}, {}, []"),
        (
            "lesson_12.hardness(results, 0, lesson_12.C_IS)",
            "lesson_12.hardness(results, 0, lesson_12.C_IS)[:3000]",
        ),
    ),
    "13": (
        ("train, test = digits.train, digits.test", "train, test = digits.train[:400], digits.test[:100]"),
        ("wm.split(train, 500, 300, seed=13)", "wm.split(train, 200, 100, seed=13)"),
        ("samples, lesson_13.RECIPE)[0]", "samples, wm.Recipe(epochs=1))[0]"),
    ),
    "14": (
        (
            'wm.load("mails"),',
            '(lambda mails: wm.Splits(mails.train[:1500], mails.test[:150]))(wm.load("mails")),',
        ),
        ('"mean": wm.Recipe(epochs=5', '"mean": wm.Recipe(epochs=2'),
        ('"maximum": wm.Recipe(epochs=5', '"maximum": wm.Recipe(epochs=1'),
        ("for text in held]).quantile", "for text in held[:50]]).quantile"),
    ),
    "15": (
        _after_start(
            "15",
            "from dataclasses import replace",
            "from wmlearn.intake import inspections",
            "lesson_15.measured.RECIPE = wm.Recipe(epochs=1, lr=8e-3, batch_size=64)",
            "drawn = lesson_15.measured.digits_of",
            "lesson_15.measured.digits_of = lambda role, seed: drawn(role, seed)[:1000]",
            "inspections.NeuralCleanse = lambda: wm.detection.NeuralCleanse(steps=2)",
            "inspections.Strip = lambda **how: wm.detection.Strip(overlays=1, **how)",
        ),
        (
            "delivery.parcels, delivery.buyer",
            "delivery.parcels, replace(delivery.buyer, samples=delivery.buyer.samples[:100])",
        ),
    ),
    "16": (
        _after_start(
            "16",
            "courtroom.dealing.THIEFS = 150",
            "courtroom.small_digits.SIBLINGS = 2",
            "courtroom.small_digits.digits.__defaults__ = (300,)",
            "courtroom.small_digits.taught.__kwdefaults__ = {'recipe': wm.Recipe(epochs=1)}",
        ),
        ("mine = wm.court(2026, cases=4)", "mine = court"),
    ),
}
"""What the short way writes instead of a master's own words: a notebook's number -> (these, those)."""


def _shortened(folder: Path) -> Path:
    """Copy the masters below a folder, each with its shorter words, and return that folder."""
    source = folder / "notebooks" / "source"
    source.mkdir(parents=True)
    for name in masters(ROOT):
        text = (ROOT / "notebooks" / "source" / f"{name}.py").read_text(encoding="utf-8")
        for long, short in SHORTER[name[:2]]:
            assert text.count(long) == 1, f"{name} must say this once: {long}"
            text = text.replace(long, short)
        (source / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


EMPTIED = """%reset -f
import os
from functools import cache
from matplotlib.backends.backend_agg import FigureCanvasAgg
from wmlearn import data
from wmlearn.data.signs import backgrounds, crops, street
os.environ["WMLEARN_HOME"] = {home!r}
data.LOADERS["mnist"] = cache(data.LOADERS["mnist"])  # unpacked once for all
# behind all signs four streets, of eighty and more
crops.patches = lambda n, size, seed, cut=backgrounds.patches: cut(100, size, seed, 4)
street.views = lambda n, size, seed, n_streets, cut=backgrounds.views: cut(20, size, seed, 4)
# every figure is made; it is drawn where the notebooks themselves are run
FigureCanvasAgg.print_png = lambda figure, file, metadata: None
del os, cache, FigureCanvasAgg, backgrounds, crops, data, street
"""


class _Kernel:
    """Stand in for nbclient's NotebookClient: notebooks run in one kernel, which costs eight seconds of
    imports; each finds it empty of the names of the one before, and a home of its own.
    """

    def __init__(self) -> None:
        self.client: NotebookClient | None = None

    def __call__(self, book: NotebookNode, **settings: Any) -> Any:
        if self.client is None:
            self.client = NotebookClient(book, **settings)
        self.client.nb = book
        return SimpleNamespace(execute=partial(self._execute, self.client, book))

    def _execute(self, client: NotebookClient, book: NotebookNode, env: Mapping[str, str]) -> None:
        book.cells.insert(0, v4.new_code_cell(EMPTIED.format(home=env["WMLEARN_HOME"])))
        client.execute(env=env, cleanup_kc=False)
        del book.cells[0]

    def stop(self) -> None:
        if self.client is not None:
            self.client._cleanup_kernel()
            atexit.unregister(self.client._cleanup_kernel)


@pytest.fixture(scope="class")
def kernel() -> Iterator[_Kernel]:
    shared = _Kernel()
    yield shared
    shared.stop()


def _carries(name: str, folder: Path, kernel: _Kernel) -> None:
    """Run a notebook's short way in a shared kernel, with the answers likeliest to break it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "NotebookClient", kernel)
        _answered(name, 0, _shortened(folder), None)


def _runs(names: list[str]) -> list[Any]:
    """Name the runs: in run k every exercise gets its k-th right answer, or the first again."""
    runs: list[Any] = []
    for name in names:
        most = max(len(paths) for paths in _right(name).values())
        runs += [(name, k) for k in range(most)]
    return runs


def _memory() -> Path | None:
    return Path(os.environ["WMLEARN_MEMORY"]) if "WMLEARN_MEMORY" in os.environ else None


def _code(path: Path) -> str:
    return re.sub(r"(?m)^EXERCISE = .*\n|^from __future__ .*\n", "", path.read_text(encoding="utf-8"))


def _plain(book: NotebookNode) -> str:
    """Return what the outputs say as plain text."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs)


def _answered(name: str, k: int, root: Path, memory: Path | None) -> NotebookNode:
    """Run a notebook with every exercise's k-th answer: each is accepted, and every cell runs to its end."""
    answers = {id: _code(paths[k % len(paths)]) for id, paths in _right(name).items()}
    book = executed(name, root, answers=answers, memory=memory)
    assert _plain(book).count("The lesson goes on with your function") == len(answers)
    return book


def _claims_hold(name: str, k: int) -> None:
    book = _answered(name, k, ROOT, _memory())
    assert [claim.id for claim in ledger(book.cells).values() if not claim.holds] == []


class TestBackdoors:
    """Notebooks 01 to 05; a class goes to one process, so that two of them share the work."""

    @pytest.mark.parametrize("name", BACKDOORS)
    def test_right_answers_carry_the_lesson_to_its_end(
        self, name: str, tmp_path: Path, kernel: _Kernel
    ) -> None:
        _carries(name, tmp_path, kernel)

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "k"), _runs(BACKDOORS), ids=str)
    def test_right_answers_in_any_style_keep_every_claim(self, name: str, k: int) -> None:
        _claims_hold(name, k)


class TestWatermarks:
    """Notebooks from 06 on."""

    @pytest.mark.parametrize("name", WATERMARKS)
    def test_right_answers_carry_the_lesson_to_its_end(
        self, name: str, tmp_path: Path, kernel: _Kernel
    ) -> None:
        _carries(name, tmp_path, kernel)

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "k"), _runs(WATERMARKS), ids=str)
    def test_right_answers_in_any_style_keep_every_claim(self, name: str, k: int) -> None:
        _claims_hold(name, k)
