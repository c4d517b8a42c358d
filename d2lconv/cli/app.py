"""The commands and their options."""

from pathlib import Path
from typing import Annotated

import typer

from d2lconv.cli import exercise, lesson
from d2lconv.cli.tables import flow
from d2lconv.version import __version__

app = typer.Typer(
    name="d2lconv",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(exercise.app, name="exercise")
app.add_typer(lesson.app, name="lesson")

Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend",
        "-b",
        metavar="NAME",
        help="Only this backend: numpy, torch, tf, mxnet, jax. Repeat it for several.",
        show_default="all",
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print everything as JSON, and nothing else.")]
Report = Annotated[Path | None, typer.Option(metavar="FILE", help="Write everything, as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the closing lines alone.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"d2lconv {__version__}")
        raise typer.Exit


@app.callback()
def d2lconv(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One lesson on convolutions, four frameworks, the same bits."""


@app.command()
def run(
    backend: Backends = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME", help='How corr2d computes: "exact" (same bits) or "loop" (as taught).'
        ),
    ] = "exact",
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    """Walk through the lesson, every framework in a column.

    The exit status is 0 if everything that must have the same bits has them, 1 if not, or if a
    backend that was asked for is not there.
    """
    from d2lconv.cli.run import run as run_lesson

    raise typer.Exit(run_lesson(backend or [], method, quiet=quiet, as_json=json))


@app.command()
def doctor(
    backend: Backends = None,
    json: AsJson = False,
) -> None:
    """Show each framework's state, version, problem and remedy.

    Each framework is imported in a process of its own, and asked for one result. The exit status
    is 0 if every installed framework works, 1 if not.
    """
    from d2lconv.cli.doctor import doctor as examine

    raise typer.Exit(examine(backend or [], as_json=json))


@app.command()
def parity(
    backend: Backends = None,
    case: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Only these cases: a name, the beginning of one, or a shell pattern. Repeatable.",
            show_default="all",
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PYTHON",
            help="Run a backend on another Python, or on another machine: NAME=ssh=HOST. "
            "Repeatable.",
        ),
    ] = None,
    json: Report = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as one page.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Record the results, as .npz.")
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE...", help="Compare recordings instead of running the cases."),
    ] = None,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="More recordings to compare.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Stop a framework that is silent for so long.")
    ] = 300.0,
    all_: Annotated[
        bool, typer.Option("--all", help="Print every case, also those that are all same bits.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Compute every parity case in every framework, and tell same bits, rounding and bugs apart.

    Each framework runs in a process of its own. The exit status is 0 if there is no bug, 1 if
    there is one; a framework that crashes or hangs is one.
    """
    from d2lconv.cli.parity import parity as run_parity

    if more and not compare:
        raise typer.BadParameter(f"{more[0]}: files are for --compare.")
    status = run_parity(
        backend or [],
        case or [],
        at or [],
        [*(compare or []), *(more or [])],
        seconds=timeout,
        json_file=json,
        html_file=html,
        save_file=save,
        everything=all_,
        quiet=quiet,
    )
    raise typer.Exit(status)


@app.command()
def conventions(
    backend: Backends = None,
    json: AsJson = False,
) -> None:
    """Show what each framework's own layers do if nobody says otherwise.

    Layouts, padding, pooling, new weights, types: every answer comes from a run, in a process of
    its own, and what differs is explained.
    """
    from d2lconv.cli.conventions import show

    raise typer.Exit(show(backend or [], as_json=json))


@app.command()
def bench(
    backend: Backends = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            "-m",
            metavar="NAME",
            help="Only this method of corr2d, beside the framework's own convolution. Repeatable.",
            show_default="exact, auto, native, loop",
        ),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIZE",
            help="Only this size, image-kernel: 28-3 is 28x28 and 3x3; or 6x8-1x2; or a layer, "
            "such as 1x64x56x56-128x64x3x3-p1-s2. Repeatable.",
            show_default="a few",
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Many sizes; MXNet alone takes half an hour.")
    ] = False,
    layers: Annotated[
        bool, typer.Option("--layers", help="Ten layers with channels instead of one image.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long each call is timed, about.")
    ] = 0.2,
    json: Report = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw how time grows: .svg, .png or .pdf."),
    ] = None,
    fit: Annotated[
        bool,
        typer.Option("--fit", help='Print the constants by which method="auto" chooses, fitted.'),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Measure how fast each method is in each framework, against its own convolution.

    Each framework runs in a process of its own, one after the other. What is compared is timed in
    turns in one run; ratios are medians of the turns' ratios, and above 1 means faster.
    """
    from d2lconv.cli.bench import bench as run_bench

    status = run_bench(
        backend or [],
        method or [],
        size or [],
        full=full,
        layers=layers,
        fitted=fit,
        seconds=seconds,
        json_file=json,
        plot_file=plot,
        quiet=quiet,
    )
    raise typer.Exit(status)


@app.command()
def train(
    backend: Backends = None,
    epochs: Annotated[int, typer.Option(help="How many times all images are gone through.")] = 3,
    batch_size: Annotated[int, typer.Option(help="How many images make a minibatch.")] = 32,
    lr: Annotated[float, typer.Option(help="The learning rate.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Of the first weights and of the order.")] = 0,
    activation: Annotated[
        str, typer.Option(metavar="NAME", help='"tanh", "relu", or "sigmoid", as in the book.')
    ] = "tanh",
    pool: Annotated[
        str, typer.Option(metavar="NAME", help='"max", or "avg", as in the book.')
    ] = "max",
    method: Annotated[
        str, typer.Option(metavar="NAME", help='How convolutions compute: "rounded" or "exact".')
    ] = "rounded",
    layer: Annotated[
        str,
        typer.Option(
            metavar="NAME", help='"builtin" trains the frameworks\' own layers, which drift apart.'
        ),
    ] = "d2lconv",
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the files of MNIST or Fashion-MNIST are."),
    ] = None,
    images: Annotated[
        int | None, typer.Option(help="Learn from so many images only.", show_default="all")
    ] = None,
    json: Report = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the curves: .svg, .png or .pdf.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train LeNet in every framework, and compare every parameter after every step.

    Each framework runs in a process of its own, one after the other. The exit status is 0 if all
    have the same bits, or consist of the frameworks' own layers; 1 if not.
    """
    from d2lconv.cli.train import train as run_training

    status = run_training(
        backend or [],
        network={
            "seed": seed, "method": method, "activation": activation, "pool": pool, "layer": layer,
        },
        settings={"lr": lr, "epochs": epochs, "batch_size": batch_size, "seed": seed},
        folder=data,
        images=images,
        json_file=json,
        plot_file=plot,
        quiet=quiet,
    )  # fmt: skip
    raise typer.Exit(status)


for group in (app, exercise.app, lesson.app):
    flow(group)
