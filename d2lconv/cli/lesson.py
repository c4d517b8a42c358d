"""``d2lconv lesson``: notebooks, page and slides, built from one source and held against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from d2lconv import checks, files, registry
from d2lconv.cli.frameworks import progress

app = typer.Typer(
    no_args_is_help=True,
    help="Build the lesson's notebooks, page and slides from one source, and check that all agree.",
)

Backends = Annotated[
    list[str] | None,
    typer.Option(
        "--backend",
        "-b",
        metavar="NAME",
        help="Only this framework's notebook: numpy, torch, tf, mxnet, jax; or side_by_side, the "
        "one for all. Repeat it for several.",
        show_default="all",
    ),
]


@dataclass(frozen=True)
class Plan:
    """What to do: the notebooks by their libraries, and a sentence for each that is left out."""

    folder: Path
    cells: list[Any]
    notebooks: list[list[Any]]
    problems: list[str]


@app.command()
def build(backend: Backends = None) -> None:
    """Build the notebooks, run them, and write them to notebooks/.

    The exit status is 0 if all are written, 1 if a notebook fails or a framework that was asked
    for is not there.
    """
    raise typer.Exit(_each(backend or [], _build))


@app.command()
def check(backend: Backends = None) -> None:
    """Build and run the notebooks anew, and compare them with those in notebooks/.

    The exit status is 0 if cells and outputs agree, text exactly, numbers and pictures by the
    verdict of parity; 1 if not, or if a framework that was asked for is not there.
    """
    raise typer.Exit(_each(backend or [], _check))


@app.command()
def page(
    file: Annotated[Path, typer.Argument(help="Where to write the page.")] = Path("lesson.html"),
) -> None:
    """Write the lesson as one page of HTML, with all that the notebooks show.

    It opens from disk, without a network, and needs no framework: its outputs are those of the last
    run of the notebooks.
    """
    from d2lconv.notebook import document
    from d2lconv.notebook.page import page

    files.writable(file)
    _write(file, page(document.load()))


@app.command()
def slides(
    folder: Annotated[Path, typer.Argument(help="Where to write the decks.")] = Path("slides"),
    backend: Backends = None,
) -> None:
    """Write the lesson as slides, a deck for each framework, with speaker notes.

    A deck is one file, which opens from disk, without a network. In it, S opens the speaker's view,
    and ?print-pdf behind its address makes it ready to be printed.
    """
    from d2lconv.notebook import document
    from d2lconv.notebook.slides import slides

    lesson = document.load()
    taught = [view.name for view in lesson.frameworks]
    for name in [registry.resolve(name) for name in backend or taught]:
        deck = slides(lesson, checks.choice("framework of the lesson", name, taught))
        _write(files.folder(folder) / f"{name}.html", deck)


def _write(file: Path, text: str) -> None:
    with files.replacing(file) as opened:
        opened.write(text.encode())
    Console(highlight=False, markup=False, soft_wrap=True).print(f"{file}: written")


def plan(names: Sequence[str], folder: Path | None = None) -> Plan:
    """Which notebooks can be made here, of these backends or of all."""
    from d2lconv.notebook import lesson
    from d2lconv.notebook.build import TOGETHER
    from d2lconv.notebook.library import Library

    folder = folder or lesson.folder()
    cells = lesson.read(folder / lesson.SOURCE)
    wanted = {name if name == TOGETHER else registry.resolve(name) for name in names}
    taught = {name for cell in cells for name in cell.backends}
    there, problems = [], []
    for status in registry.backends():
        if status.name in (taught if not wanted or TOGETHER in wanted else wanted):
            if status.installed:
                there.append(Library(status.name))
            else:
                problems.append(f"{status.problem} Run: {status.install}")
    notebooks = [[lib] for lib in there if not wanted or lib.manifest.name in wanted]
    if not problems and (not wanted or TOGETHER in wanted):
        notebooks.append(there)
    return Plan(folder, cells, notebooks, problems)


def _each(names: list[str], work: Any) -> int:
    """Do something with each notebook, while a bar shows its cells."""
    from d2lconv.notebook.build import filename, notebook
    from d2lconv.notebook.execute import NotebookFailed, execute

    todo = plan(names)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for problem in todo.problems:
        errors.print(problem, style="yellow")
    bad = bool(names and todo.problems) or not todo.notebooks
    built = {filename(libraries): notebook(todo.cells, libraries) for libraries in todo.notebooks}
    count = sum(cell.cell_type == "code" for made in built.values() for cell in made.cells)
    with progress(console) as bar:
        task = bar.add_task("", total=count)
        for name, made in built.items():
            bar.update(task, description=f"running {name}")
            try:
                execute(made, lambda: bar.advance(task))
                problems = work(todo.folder / name, made)
            except NotebookFailed as failed:
                problems = [str(failed)]
            bad = bad or bool(problems)
            for problem in problems:
                console.print(f"{name}: {problem}", style="red")
            if not problems:
                console.print(f"{name}: {'written' if work is _build else 'agrees'}")
    return 1 if bad else 0


def _build(path: Path, made: Any) -> list[str]:
    from d2lconv.notebook.build import text

    with files.replacing(path) as file:
        file.write(text(made).encode())
    return []


def _check(path: Path, made: Any) -> list[str]:
    from d2lconv.notebook.build import load
    from d2lconv.notebook.check import outputs, structure

    if not path.is_file():
        return ["there is no such file; build it with: d2lconv lesson build"]
    committed = load(path)
    return list(structure(committed, made)) or list(outputs(committed, made))
