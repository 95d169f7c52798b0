"""`wmlearn build`: what readers open, from the masters that people edit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from tqdm.auto import tqdm

from ..data import files
from ..errors import DataError, require

Audience = Literal["learner", "teacher", "slides", "site"]


def build(
    names: Annotated[
        list[str] | None, typer.Argument(help="Notebooks, by number or name; all when none is named.")
    ] = None,
    audience: Annotated[
        Audience,
        typer.Option(
            "--for",
            help="learner: notebooks/, and the README's table; teacher: with solutions, into teacher/;"
            " slides: a deck a lesson and a handout, into build/slides; site: pages to read, into build/site."
            " The last two take the notebooks as they were executed.",
        ),
    ] = "learner",
) -> None:
    """Turn the masters in notebooks/source/ into executed notebooks (one to five minutes each), and these
    into a site.
    """
    root = _project()
    if audience == "site":
        require(not names, "the site must have all notebooks", ", ".join(names or []), "Name none.")
        _build_site(root)
    elif audience == "slides":
        _build_slides(root, names)
    else:
        _execute(root, names, audience)


def _chosen(known: list[str], names: list[str] | None) -> list[str]:
    wanted = tuple(names or [""])
    chosen = [name for name in known if name.startswith(wanted)]
    require(bool(chosen), f"the notebook must be one of {', '.join(known)}", ", ".join(wanted))
    return chosen


def _execute(root: Path, names: list[str] | None, audience: Literal["learner", "teacher"]) -> None:
    with _needing("test"):
        from ..course.authoring import readme, teaching
        from ..course.authoring.build import masters, write
    for name in tqdm(_chosen(masters(root), names), desc="notebooks", leave=False):
        path = write(name, root, audience)
        tqdm.write(str(path.relative_to(root)))
    readme.write(root)
    teaching.write(root)


def _build_slides(root: Path, names: list[str] | None) -> None:
    with _needing("site"):
        from ..course.authoring import slides
        from ..course.authoring.build import lessons
    page = slides.write(root, root / "build" / "slides", _chosen(lessons(root), names))
    typer.echo(f"{page.relative_to(root)} lists the decks; they need no server and no network.")


def _build_site(root: Path) -> None:
    with _needing("site"):
        from ..course.authoring import website
    page = website.write(root, root / "build" / "site")
    typer.echo(f"{page.relative_to(root)} is the first page; the site needs no server and no network.")


@contextmanager
def _needing(extra: str) -> Iterator[None]:
    """Say which extra brings the package that a build lacks."""
    try:
        yield
    except ModuleNotFoundError as error:
        fix = f'Run pip install -e ".[{extra}]".'
        raise DataError(f"Building needs {error.name}, which is not installed. {fix}") from error


def _project() -> Path:
    root = files.ROOT.parent
    if not (root / "notebooks").is_dir():
        raise DataError(
            f"{root} must hold the folder notebooks. Clone the project, and install it with `pip install"
            " -e .`."
        )
    return root
