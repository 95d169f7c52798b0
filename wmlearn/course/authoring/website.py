"""The course's site, from the notebooks as they were executed: nothing runs, and no page needs the network.

`docs/site/` holds what people write: the first page, the glossary, style, scripts, Sphinx's settings. The
lessons, the API, the results and the papers are put beside it, and Sphinx with MyST-NB makes the pages.
"""

from __future__ import annotations

import base64
import inspect
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import nbformat
import torch
from nbformat import NotebookNode
from torch import nn

from ... import detection, removal, triggers, watermarks
from ...data import load
from ...errors import DataError
from ...models.networks import Standardise
from ...triggers import Pattern
from ..claims import Claim, ledger
from ..lessons import lesson_01
from .build import COURSE, lessons
from .expand import expand

PUBLIC = import_module("wmlearn")
NEEDS = ("sphinx", "myst_nb", "furo", "latex2mathml")
DEMO = {"a": "Clean network", "b": "BadNet"}
"""The parcels of lesson 01 that answer on the first page, and what they are called there."""
METHODS = {
    "Triggers": triggers,
    "Detectors of backdoors": detection,
    "Watermarks": watermarks,
    "Removal": removal,
}
PARAGRAPH = "\n\n"
MAP = re.compile(r"^## The course\n(.*?)^## ", re.MULTILINE | re.DOTALL)
PAPERS = re.compile(r"^## Paper / here\n(.*?)^## ", re.MULTILINE | re.DOTALL)


def anchor(heading: str) -> str:
    """Name a heading as JupyterLab does, so that the lessons' links within a page lead somewhere."""
    return heading.replace(" ", "-")


def write(root: Path, place: Path) -> Path:
    """Build the site of the project at `root` into the folder `place`, whole or not at all; what was there
    goes. Return its first page.

    Raises `DataError` when the extra `site` is missing, or when Sphinx finds a fault in a page.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        fix = 'Run pip install -e ".[site]".'
        raise DataError(f"Building the site needs {', '.join(missing)}, which is not installed. {fix}")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        built = Path(folder) / "site"
        assemble(root, source)
        _run_sphinx(source, built)
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(built, place)
    return place / "index.html"


def _run_sphinx(source: Path, out: Path) -> None:
    options = ["-b", "html", "-q", "-W", "--keep-going", "-d", str(out.with_name("doctrees"))]
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.replace(f"{source}/", "").strip()
        raise DataError(f"Sphinx must find no fault in the site's pages, got:\n{said}")
    (out / ".buildinfo").unlink(missing_ok=True)


def assemble(root: Path, out: Path) -> None:
    """Write the sources of all pages into the folder `out`."""
    shutil.copytree(root / "docs" / "site", out)
    (out / "notebooks").mkdir()
    claims: dict[str, Claim] = {}
    for name in lessons(root):
        book = nbformat.read(root / "notebooks" / f"{name}.ipynb", 4)
        claims |= ledger(book.cells)
        nbformat.write(lesson(book), out / "notebooks" / f"{name}.ipynb")
    shutil.copytree(root / "teaching", out / "teaching", ignore=shutil.ignore_patterns("*.json"))
    readme = (root / "README.md").read_text(encoding="utf-8")
    for page in out.glob("*.md"):
        text = page.read_text(encoding="utf-8").replace("](../../", "](")
        text = text.replace("{course-map}", _course_map(readme))
        text = text.replace("{lessons}", "\n".join(f"notebooks/{name}" for name in lessons(root)))
        page.write_text(expand(text, claims, {}), encoding="utf-8")
    measured = sorted((root / "docs" / "results").glob("*.md"))
    _put(out / "results", {path.stem: path.read_text(encoding="utf-8") for path in measured}, RESULTS)
    _put(out / "api", dict(api_pages()), API)
    (out / "papers.md").write_text(papers(readme), encoding="utf-8")
    (out / "_static" / "demo-data.js").write_text(demo_data(), encoding="utf-8")


RESULTS = """# Results

What this project measured beside what papers report, a page a lesson, made from the shipped results.
"""
API = """# API

Nouns are frozen dataclasses, verbs are functions, nothing inherits. Only verbs that begin with `train` change
a model.
"""


def _put(folder: Path, texts: Mapping[str, str], head: str) -> None:
    """Write pages into a folder, and an index that lists them."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    tree = "\n".join(["```{toctree}", ":maxdepth: 1", "", *texts, "```"])
    (folder / "index.md").write_text(f"{head}\n{tree}\n", encoding="utf-8")


def _course_map(readme: str) -> str:
    """Return the table of the course that the README shows, its first heading named for screen readers."""
    section = MAP.search(readme)
    assert section is not None
    table = [line for line in section[1].splitlines() if line.startswith("|")]
    return "\n".join(["| part, number | lesson | the question |", *table[1:]])


def lesson(book: NotebookNode) -> NotebookNode:
    """Prepare an executed notebook: no line of links, which the site has; pictures with their words."""
    cells = [cell for cell in book.cells if COURSE not in cell.source]
    for cell in cells:
        cell.source = cell.source.replace("](../docs/results/", "](../results/")
        alts = [
            output.get("metadata", {}).get("image/png", {}).get("alt", "")
            for output in cell.get("outputs", [])
        ]
        says = " ".join(alt for alt in alts if alt)
        if says:  # MyST-NB reads no alt text where Jupyter keeps it, in the output
            cell.metadata["mystnb"] = {"image": {"alt": " ".join(says.split())}}
        if cell.metadata.pop("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    return nbformat.v4.new_notebook(cells=cells, metadata=book.metadata)


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield the list of what stands on the public page, and a page for each module there: name -> text."""
    yield "wmlearn", _public_page()
    modules = {value.__name__: value for value in vars(PUBLIC).values() if inspect.ismodule(value)}
    for name, module in sorted(modules.items()):
        entries = [_entry(module, each) for each in _offered(module, name)]
        if entries:
            head = f"# {name}\n\n{inspect.getdoc(module) or ''}\n"
            yield name.removeprefix("wmlearn."), "\n".join([head, *entries])


def _offered(module: ModuleType, home: str) -> list[str]:
    """Name the classes and functions of a module that come from `home` or below."""
    names = [name for name in vars(module) if not name.startswith("_")]
    return [name for name in names if _comes_from(getattr(module, name), home)]


def _comes_from(value: object, home: str) -> bool:
    place = getattr(value, "__module__", None) or ""
    known = inspect.isclass(value) or inspect.isfunction(value)
    return known and (place == home or place.startswith(f"{home}."))


def _entry(module: ModuleType, name: str) -> str:
    is_class = inspect.isclass(getattr(module, name))
    kind = "autoclass" if is_class else "autofunction"
    options = "\n   :members:\n   :undoc-members:" if is_class else ""
    directive = f".. {kind}:: {module.__name__}.{name}\n   :no-index:{options}"
    return f"## {name}\n\n```{{eval-rst}}\n{directive}\n```\n"


def _public_page() -> str:
    """List what stands on the public page, with the first sentence of each."""
    lines = []
    for name in _offered(PUBLIC, "wmlearn"):
        doc = inspect.getdoc(getattr(PUBLIC, name)) or ""
        lines.append(f"- `wm.{name}`: {' '.join(doc.split(PARAGRAPH)[0].split())}")
    head = f"# wmlearn\n\n{inspect.getdoc(PUBLIC)} `import wmlearn as wm` gives:\n"
    return "\n".join([head, *lines, ""])


def papers(readme: str) -> str:
    """Write the page of papers: the source of each method as its file names it, then what was measured."""
    section = PAPERS.search(readme)
    assert section is not None
    parts = [
        "# Papers\n\nEach method is one short file that begins with its source, and says where it differs.\n"
    ]
    for title, package in METHODS.items():
        parts.append(f"## {title}\n")
        rows = [(name, _source(method)) for name, method in package.ALL.items()]
        parts += [f"- `{name}`: {source}" for name, source in rows]
        parts.append("")
    measured = (
        section[1].replace("](docs/results/", "](results/").replace("](results/)", "](results/index.md)")
    )
    return "\n".join([*parts, "## Paper and here", measured])


def _source(method: object) -> str:
    """Return what stands in the docstring of a method's file between its title and what differs."""
    home = method if inspect.isfunction(method) else type(method)
    text = inspect.getdoc(sys.modules[home.__module__]) or ""
    return " ".join(re.split(r"^Differs:", text, flags=re.MULTILINE)[0].split())


def demo_data() -> str:
    """Write, as a script, what the first page asks: two networks, ten test digits, the trigger."""
    test = load("mnist").test
    rows = [int((test.y == digit).nonzero()[0]) for digit in range(10)]
    digits = (test.x[rows] * 255).round().to(torch.uint8)  # (10, 1, 28, 28)
    networks = [_numbers(name) for name in DEMO]
    data = {
        "networks": networks,
        "digits": [_base64(digit.numpy().tobytes()) for digit in digits],
        "trigger": Pattern().where,
    }
    return f"globalThis.WMLEARN_DEMO = {json.dumps(data)};\n"


def _numbers(parcel: str) -> dict[str, object]:
    """Return a parcel's weights in half precision, as they ship, in the order in which they are used."""
    network = lesson_01.parcel(parcel, torch.device("cpu"))
    scale = next(layer for layer in network.children() if isinstance(layer, Standardise))
    weights = [weight for layer in network.children() for weight in _weights(layer)]
    return {
        "id": parcel,
        "name": DEMO[parcel],
        "mean": float(scale.mean),
        "std": float(scale.std),
        "weights": [_base64(weight.half().numpy().tobytes()) for weight in weights],
    }


def _weights(layer: nn.Module) -> list[torch.Tensor]:
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        return []
    assert layer.bias is not None
    return [layer.weight.detach(), layer.bias.detach()]


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
