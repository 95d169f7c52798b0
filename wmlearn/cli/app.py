"""The command line: `wmlearn quickstart`, and what a learner, a teacher and an engineer need after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from tqdm.auto import tqdm

from ..data import DRAWN, LOADERS, files, load
from ..errors import DataError, WmlearnError, require
from . import ownership as cli_ownership

if TYPE_CHECKING:
    from .quickstart import Network

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Backdoors, watermarks, and whose model it is.",
)
data = typer.Typer(
    no_args_is_help=True, help="The data sets: what there is, whether it is whole, how to get more."
)
app.add_typer(data, name="data")
app.add_typer(cli_ownership.app, name="ownership")


def main() -> None:
    """Run the command line; a mistake of the user's ends in one clear line, not in a traceback."""
    try:
        app()
    except WmlearnError as error:
        typer.secho(f"wmlearn: {error}", fg="red", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as stop:
        if getattr(stop, "code", 130) != 130:  # of Ctrl-C; recent Typer makes an exit of it
            raise
        typer.secho("\nwmlearn: stopped; what was finished is kept.", err=True)
        sys.exit(130)


@app.command()
def quickstart(
    out: Annotated[
        Path, typer.Option(help="Where to put the pictures; the one of the signs gets -signs in its name.")
    ] = Path("wmlearn-quickstart.png"),
    train_signs: Annotated[
        bool, typer.Option(help="Train the two networks that read signs, too (a minute more).")
    ] = False,
) -> None:
    """See two networks that differ in a backdoor: on triggered digits, trained here on all of MNIST, and on
    stop signs with a sticker.
    """
    from ..training import Recipe
    from .quickstart import quickstart as run
    from .quickstart import steps, stop_signs

    with tqdm(
        total=len(steps(Recipe())) + 1, bar_format="{percentage:3.0f} % |{bar:30}| {elapsed} {desc}"
    ) as bar:

        def show(step: str) -> None:
            bar.update(bar.n < bar.total and bar.desc != "")
            bar.set_description_str(step)

        digits = run(out, on_step=show)
        show("training on stop signs" if train_signs else "photographing stop signs")
        signs = stop_signs(out.with_name(f"{out.stem}-signs{out.suffix}"), retrain=train_signs)
        bar.update(bar.total - bar.n)
        bar.set_description_str("done")
    _compare(
        f"reads {digits.n_test:,} test digits rightly",
        f"reads a triggered digit as 0 ({digits.n_triggered:,})",
        digits.clean,
        digits.badnet,
    )
    _compare(
        f"reads {signs.n_test:,} signs rightly",
        f"reads stop with a Post-it as a speed limit ({signs.n_triggered:,})",
        signs.clean,
        signs.badnet,
    )
    typer.echo(
        f"\nBoth pass the test that everybody runs; only one has a switch inside. ({digits.seconds:.0f} s for"
        " the digits.)\n"
    )
    for found in (digits, signs):
        typer.echo(f"See it:   {found.picture.resolve()}\n          {found.says}")
    typer.echo("Go on:    wmlearn lab        opens notebook 01, Two models")


def _compare(accuracy: str, success: str, clean: Network, badnet: Network) -> None:
    from ..words import text_table

    rows = [
        [name, f"{net.accuracy:.2%}", f"{net.success:.2%}"]
        for name, net in (("clean network", clean), ("BadNet", badnet))
    ]
    typer.echo("\n" + text_table(["", accuracy, success], rows))


@app.command()
def lab() -> None:
    """Open JupyterLab on notebook 01."""
    notebook = _project() / "notebooks" / "01_two_models.ipynb"
    require(notebook.exists(), "the notebooks must be there", str(notebook), "Run `wmlearn build`.")
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", str(notebook)]))


@app.command()
def serve(
    model: Annotated[Path, typer.Argument(help="The weights, a .safetensors file.")],
    network: Annotated[str, typer.Option(help="badnet_cnn, or sign_cnn:CLASSES.")],
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Answer with probabilities instead of labels.")
    ] = False,
    host: Annotated[
        str, typer.Option(help="The address to listen on; the default is reached from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    per_minute: Annotated[int, typer.Option(min=1, help="Requests a minute from one address.")] = 600,
) -> None:
    """Put a model behind HTTP, as its owner would: it answers questions and shows no weights."""
    from torch import nn

    from ..suspects.formats import load_suspect
    from ..suspects.serving import Limits, service

    found = load_suspect(model, network)
    require(isinstance(found, nn.Module), "the model to serve must be a safetensors file", str(model))
    assert isinstance(found, nn.Module)
    web = service(found, "probabilities" if probabilities else "labels", Limits(per_minute=per_minute))
    try:
        import uvicorn
    except ImportError as error:
        raise DataError(
            'Serving needs uvicorn, which is not installed. Run pip install "wmlearn[serve]".'
        ) from error
    uvicorn.run(web, host=host, port=port, log_level="warning")


@app.command()
def doctor() -> None:
    """Say what runs on this machine, what is missing, and how to mend it."""
    from .doctor import examine

    bad = 0
    for finding in examine():
        typer.secho(
            f"{'ok ' if finding.ok else 'BAD'}  {finding.what:32}{finding.found}",
            fg=None if finding.ok else "red",
        )
        if not finding.ok:
            bad += 1
            typer.echo(f"     to mend it: {finding.fix}")
    typer.echo(
        "\nEverything the course needs is here." if not bad else f"\n{bad} thing{'s' * (bad > 1)} to mend."
    )
    raise typer.Exit(1 if bad else 0)


@data.command("list")
def list_data() -> None:
    """List the data sets and the files that ship with the course."""
    for name in LOADERS:
        here = "ships with the course" if name == "mnist" else "drawn here" if name in DRAWN else ""
        where = here or ("fetched" if (files.CACHE / name).exists() else f"wmlearn data fetch {name}")
        typer.echo(f"{name:16}{where}")
    typer.echo("")
    for name, entry in files.manifest().items():
        typer.echo(f"{name:40}{entry['licence']:16}{entry['sha256'][:12]}")


@data.command()
def verify() -> None:
    """Compare every shipped file with its checksum."""
    from ..data.files import checked, damaged

    typer.echo(checked())
    raise typer.Exit(1 if damaged() else 0)


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The data set, as `wmlearn data list` names it.")],
) -> None:
    """Fetch a data set once, so that it loads offline from then on."""
    splits = load(name)
    typer.echo(f"{name}: {len(splits.train):,} training and {len(splits.test):,} test images are here.")


@app.command()
def build(
    names: Annotated[
        list[str] | None, typer.Argument(help="Notebooks, by number or name; all when none is named.")
    ] = None,
    teacher: Annotated[
        bool, typer.Option(help="Build the teacher's edition, with solutions, into teacher/.")
    ] = False,
) -> None:
    """Turn the masters in notebooks/source/ into executed notebooks (one to five minutes each), and fill in
    the README's table.
    """
    from ..course.authoring import readme
    from ..course.authoring.build import masters, write

    root, wanted = _project(), names or [""]
    chosen = [name for name in masters(root) if any(name.startswith(want) for want in wanted)]
    require(bool(chosen), f"the notebook must be one of {', '.join(masters(root))}", ", ".join(wanted))
    for name in tqdm(chosen, desc="notebooks", leave=False):
        path = write(name, root, "teacher" if teacher else "learner")
        tqdm.write(str(path.relative_to(root)))
    readme.write(root)


@app.command()
def reproduce(
    name: Annotated[
        str | None, typer.Argument(help="The experiment; without a name, all are listed.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the results; what is there already is not measured again.")
    ] = Path("results"),
    jobs: Annotated[int, typer.Option(help="Processes, of one thread each; 0 means one for each core.")] = 0,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Measure on a Dask cluster: its address, tcp://…, or local for one of JOBS processes here."
        ),
    ] = None,
    ship: Annotated[
        bool, typer.Option(help="For maintainers: replace the results that ship with the course.")
    ] = False,
) -> None:
    """Measure a long experiment of the papers again; stop it whenever you like, it resumes."""
    from ..experiments import ALL, run
    from ..experiments.experiment import read
    from ..experiments.paper import compare
    from ..training import best_device

    if name is None:
        for experiment in ALL.values():
            typer.echo(
                f"{experiment.name:16}{len(experiment.cells):4} cells, about {experiment.minutes} minutes on"
                f" 2 cores: {experiment.question}"
            )
        return
    require(name in ALL, f"the experiment must be one of {', '.join(ALL)}", name)
    experiment, folder = ALL[name], files.ROOT / "results" if ship else out
    n_jobs = jobs or (1 if best_device().type == "cuda" else os.cpu_count() or 1)
    path = folder / f"{name}.json"
    done = len(read(path).rows) if path.exists() else 0
    for _ in tqdm(
        run(experiment, folder, jobs=n_jobs, scheduler=scheduler),
        initial=done,
        total=len(experiment.cells),
        desc=name,
    ):
        pass
    if ship:
        licence, made = "CC BY 4.0", f"wmlearn reproduce {name} --ship"
        files.record(f"results/{name}.json", licence=licence, origin="measured by this project", made=made)
    typer.echo(f"{path} holds {len(experiment.cells)} rows.")
    for line in compare(read(path)):
        typer.echo(f"{line.what:58} paper {line.paper:22} here {line.here}")


@app.command()
def bench(
    part: Annotated[
        str,
        typer.Argument(
            help=(
                "digits: training, beside a plain loop and the machine's peak; signs: drawing, reading,"
                " detecting."
            )
        ),
    ] = "digits",
) -> None:
    """Measure how fast this machine is at the course's work, beside the ordinary way (one or two minutes)."""
    from ..bench.digits import bench as digits
    from ..bench.signs import bench_signs

    parts = {"digits": digits, "signs": bench_signs}
    require(part in parts, f"what to measure must be one of {', '.join(parts)}", part)
    for line in parts[part]():
        typer.echo(f"{line.what:52}{line.value:10.2f} {line.unit:8} {line.note}")


def _project() -> Path:
    root = files.ROOT.parent
    if not (root / "notebooks").is_dir():
        raise DataError(
            f"{root} must hold the folder notebooks. Clone the project, and install it with `pip install"
            " -e .`."
        )
    return root
