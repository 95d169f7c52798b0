"""The command line: `wmlearn quickstart`, and what a learner, a teacher and an engineer need after it."""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from torch import nn
from tqdm.auto import tqdm

from ..data import DRAWN, LOADERS, SHIPPED, files, load, read_photographs
from ..data.tables import TABLES
from ..errors import DataError, WmlearnError, require
from ..training import Recipe
from ..words import visible
from . import answers, classroom, models
from . import ownership as cli_ownership
from .build import build
from .doctor import examine
from .pack import pack
from .quickstart import compare_digits, compare_signs, report, steps

# what is heavy is imported by the command that needs it: jupytext and nbclient, torchvision, a web server

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
app.add_typer(classroom.app, name="classroom")
for command in (models.scan, models.mark, models.scorecard, pack, build):
    app.command()(command)


def main() -> None:
    """Run the command line; a mistake of the user's ends in one clear line, not in a traceback."""
    atexit.register(gc.freeze)  # else Python looks through all of PyTorch once more before it ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a code page without "…" writes \\u2026
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            app()
    except WmlearnError as error:
        _end(str(error))
    except OSError as error:  # a name that is too long, an output that is full
        where = f"{error.filename}: " if error.filename else ""
        _end(f"{where}{error.strerror or error}")
    except (KeyboardInterrupt, SystemExit) as stop:
        if getattr(stop, "code", 130) != 130:  # of Ctrl-C; recent Typer makes an exit of it
            raise
        typer.secho("\nwmlearn: stopped; what was finished is kept.", err=True)
        sys.exit(130)


def _end(message: str) -> NoReturn:
    """Say what went wrong, and end with 1, even where the output is full."""
    with suppress(OSError):
        typer.secho(f"wmlearn: {visible(message)}", fg="red", err=True)
    try:
        sys.stdout.flush()
    except OSError:  # what can't be written must not be tried again when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def _warn(message: Warning | str, category: type[Warning], *place: object, **more: object) -> None:
    """Say a warning in a line, without the place in the package that gave it."""
    typer.secho(f"wmlearn: {visible(str(message))}", fg="yellow", err=True)


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
    with _bar(len(steps(Recipe())) + 1) as begin:
        digits = compare_digits(out, on_step=begin)
        begin("training on stop signs" if train_signs else "photographing stop signs")
        signs = compare_signs(out.with_name(f"{out.stem}-signs{out.suffix}"), retrain=train_signs)
    typer.echo(report(digits, signs))


@contextmanager
def _bar(total: int) -> Iterator[Callable[[str], None]]:
    """Yield what is to be called with the name of each of `total` steps before it begins."""
    with tqdm(total=total, bar_format="{percentage:3.0f} % |{bar:30}| {elapsed} {desc}") as bar:

        def begin(step: str) -> None:
            if bar.desc:  # the step before this one is over; before the first there is none
                bar.update()
            bar.set_description_str(step)

        yield begin
        bar.update()
        bar.set_description_str("done")


READ = """Read your own photographs of traffic signs with both networks of notebook 03, clean and BadNet.

Only the centre square of a picture is read, scaled to 32 by 32 pixels. So the sign must fill it: crop the\
 picture to the sign first, and leave about a tenth of the width on each side.

The networks know three kinds of German signs: stop, speed limit, warning. Anything else gets one of these\
 answers, too, and a wrong one. The trigger is a yellow square below the letters of a stop sign, a fifth as\
 wide as the sign.

Nobody has tested them on photographs of printed signs: what you see is your own measurement. Print a sign;\
 put no sticker on a road sign. Nothing is sent, and nothing is written but the figure, if you ask for one.
"""


@app.command(help=READ)
def read(
    photographs: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A folder of pictures, or one picture."),
    ],
    figure: Annotated[
        Path | None,
        typer.Option(help="Also draw the pictures as the networks see them.", metavar="FILE.png"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.png if it is there.")] = False,
) -> None:
    """Read your own photographs of traffic signs with both networks of notebook 03."""
    from . import read as reading

    if figure:
        reading.check_figure(figure, photographs, overwrite=overwrite)
    pictures = read_photographs(photographs)
    if len(pictures) == 0:
        for line in reading.list_skipped(pictures):
            typer.echo(line)
        rule = f"{photographs} must hold a picture that can be read"
        raise DataError(f"{rule}, got none. Put JPEG or PNG files there.")
    answers = reading.ask(pictures)
    typer.echo(reading.report(pictures, answers))
    if figure:
        typer.echo(reading.draw(figure, pictures, answers))
    typer.echo(reading.count_differences(answers))


@app.command()
def lab(
    number: Annotated[str, typer.Argument(help="The notebook, by its number.")] = "01",
    fresh: Annotated[bool, typer.Option("--fresh", help="A new copy, beside the old one.")] = False,
) -> None:
    """Open your own copy of a notebook in JupyterLab: without outputs, and never overwritten."""
    from ..course import record
    from . import lab as copies

    original = copies.chosen(number)
    for other in copies.notebooks():  # so that the links between them lead somewhere
        copies.working_copy(other)
    notebook = copies.working_copy(original, fresh=fresh)
    typer.echo(f"{notebook} is yours to write in. `wmlearn progress` says how far you are.")
    command = [sys.executable, "-m", "jupyterlab", str(notebook), f"--ServerApp.root_dir={record.home()}"]
    raise typer.Exit(subprocess.call(command))


@app.command()
def progress(
    certificate: Annotated[
        Path | None, typer.Option(help="Also write a page that says so, to print or to show.", metavar="FILE")
    ] = None,
    name: Annotated[str, typer.Option(help="Whose page it is, in your own words.")] = "",
) -> None:
    """Say which exercises you have solved, how the quizzes and challenges went, and how well you guess."""
    from ..course import certificates, record, standing
    from ..words import text_table
    from . import lab as copies

    kept = record.load()
    if certificate:
        fix = "Name another file, or move it away."
        require(not certificate.exists(), "the page must be a new file", str(certificate), fix)
        chapters = [certificates.chapter(notebook) for notebook in copies.notebooks()]
        page = certificates.certificate(kept, chapters, name, date.today().isoformat())
        files.write(certificate, page.encode())
        typer.echo(f"{certificate} is your page.\n")
    typer.echo(text_table(standing.HEADER, standing.table(kept)))
    typer.echo(f"\n{standing.calibration(kept)}\nKept in {record.path()}, sent nowhere.")


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
    proxy: Annotated[
        str | None,
        typer.Option(
            help="The address of a proxy in front of the service, the only one that is believed when it says"
            " who asks (X-Forwarded-For)."
        ),
    ] = None,
    mark: Annotated[
        answers.Mark | None,
        typer.Option(help="Mark the answers, so that a thief who learns from them learns the mark."),
    ] = None,
    secret: Annotated[
        Path | None, typer.Option(help="The owner's secret, as `wmlearn ownership keygen` wrote it.")
    ] = None,
    rate: answers.Rate = answers.RATE,
) -> None:
    """Put a model behind HTTP, as its owner would: it answers questions and shows no weights.

    Clients are told apart by the address they come from. Ctrl-C ends the service within five seconds.
    """
    from ..suspects import serving
    from ..suspects.formats import load_suspect

    served = load_suspect(model, network)
    require(isinstance(served, nn.Module), "the model to serve must be a safetensors file", str(model))
    assert isinstance(served, nn.Module)
    if mark:
        fix = "Make one with wmlearn ownership keygen NAME."
        require(secret is not None, "a mark needs --secret", "none", fix)
        assert secret is not None
        served = answers.marked_service(served, secret, rate)
    limits = serving.Limits(per_minute=per_minute)
    web = serving.service(served, "probabilities" if probabilities else "labels", limits)
    serving.serve(web, host, port, limits, proxy)


@app.command()
def doctor() -> None:
    """Say what runs on this machine, what is missing, and how to mend it."""
    faults = 0
    for finding in examine():
        mark = "ok " if finding.ok else "BAD"
        typer.secho(f"{mark}  {finding.what:32}{finding.state}", fg=None if finding.ok else "red")
        if not finding.ok:
            faults += 1
            typer.echo(f"     to mend it: {finding.fix}")
    if not faults:
        typer.echo("\nEverything the course needs is here.")
        return
    typer.echo(f"\n{faults} thing to mend." if faults == 1 else f"\n{faults} things to mend.")
    raise typer.Exit(1)


@data.command("list")
def list_data() -> None:
    """List the data sets and the files that ship with the course."""
    for name in LOADERS:
        typer.echo(f"{name:16}{_origin(name)}")
    typer.echo("")
    for name, entry in files.manifest().items():
        typer.echo(f"{name:40}{entry['licence']:16}{entry['sha256'][:12]}")


def _origin(name: str) -> str:
    if name in SHIPPED:
        return "ships with the course"
    if name in DRAWN:
        return "drawn here"
    if name in TABLES:
        return "lies inside scikit-learn"
    return "fetched" if (files.CACHE / name).exists() else f"wmlearn data fetch {name}"


@data.command()
def verify() -> None:
    """Compare every shipped file with its checksum."""
    typer.echo(files.checked())
    raise typer.Exit(1 if files.damaged() else 0)


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The data set, as `wmlearn data list` names it.")],
) -> None:
    """Fetch a data set once, so that it loads offline from then on."""
    splits = load(name)
    typer.echo(f"{name}: {len(splits.train):,} training and {len(splits.test):,} test images are here.")


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
            " Name your own only: a scheduler sends pickles, and opening one can run any code."
        ),
    ] = None,
    ship: Annotated[
        bool, typer.Option(help="For maintainers: replace the results that ship with the course.")
    ] = False,
) -> None:
    """Measure a long experiment of the papers again; stop it whenever you like, it resumes."""
    from ..experiments import ALL, compare, run
    from ..experiments.experiment import read
    from ..training import best_device

    if name is None:
        for experiment in ALL.values():
            size = f"{len(experiment.cells):4} cells, about {experiment.minutes} minutes on 2 cores"
            typer.echo(f"{experiment.name:16}{size}: {experiment.question}")
        return
    require(name in ALL, f"the experiment must be one of {', '.join(ALL)}", name)
    experiment = ALL[name]
    path = (files.ROOT / "results" if ship else out) / f"{name}.json"
    if jobs == 0:
        # processes would fight over one graphics card
        jobs = 1 if best_device().type == "cuda" else os.cpu_count() or 1
    rows = run(experiment, path.parent, jobs=jobs, scheduler=scheduler)
    n_known = len(read(path).rows) if path.exists() else 0
    for _ in tqdm(rows, initial=n_known, total=len(experiment.cells), desc=name):
        pass
    if ship:
        origin = "measured by this project"
        made = f"wmlearn reproduce {name} --ship"
        files.record(f"results/{name}.json", licence="CC BY 4.0", origin=origin, made=made)
    typer.echo(f"{path} holds {len(experiment.cells)} rows.")
    for line in compare(read(path)):
        typer.echo(f"{line.what:58} paper {line.paper:22} here {line.here}")


@app.command()
def bench(
    part: Annotated[
        str,
        typer.Argument(
            help="digits: training; signs: drawing, reading, detecting; cleaning: finding a backdoor;"
            " watermarks: embedding one; ownership: books and false claims; serving: a model behind HTTP."
        ),
    ] = "digits",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers to this file, too.", metavar="FILE")
    ] = None,
) -> None:
    """Measure how fast this machine is at the course's work, beside the ordinary way (minutes)."""
    from ..bench import PARTS, document

    require(part in PARTS, f"what to measure must be one of {', '.join(PARTS)}", part)
    if json_file:
        files.check_writable(json_file)
    lines = []
    for line in PARTS[part]():
        typer.echo(line)
        lines.append(line)
    if json_file:
        files.write(json_file, (json.dumps(document(part, lines), indent=1) + "\n").encode())
