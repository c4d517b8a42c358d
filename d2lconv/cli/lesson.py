"""``d2lconv lesson``: notebooks, pages and slides, built from sources and held against them."""

import tempfile
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from d2lconv import files
from d2lconv.cli.frameworks import progress
from d2lconv.core import checks, registry

app = typer.Typer(
    no_args_is_help=True,
    help="Build the lessons' notebooks, pages and slides, each lesson's from one source, and check "
    "that all agree.",
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


Lessons = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[LESSON]...",
        help="Names of lessons, which are folders in notebooks/, such as conv_layer.",
        show_default="all",
    ),
]
Lesson = Annotated[str, typer.Argument(metavar="LESSON", help="Such as conv_layer.")]


@dataclass(frozen=True)
class Plan:
    """What to do: notebooks by lesson and libraries, and a sentence for each that is left out."""

    notebooks: list[tuple[Any, list[Any]]]
    problems: list[str]


@app.command("list")
def list_() -> None:
    """List the lessons."""
    from d2lconv.notebook import lesson

    for each in lesson.folders():
        head = lesson.head(each)
        typer.echo(f"{each.name:<16} {head['section']}  {head['title']}")


@app.command()
def build(lesson: Lessons = None, backend: Backends = None) -> None:
    """Build notebooks, run them, and write them to the lessons' folders.

    The exit status is 0 if all are written, 1 if a notebook fails or a framework that was asked
    for is not there.
    """
    raise typer.Exit(_each(lesson or [], backend or [], _build))


@app.command()
def check(lesson: Lessons = None, backend: Backends = None) -> None:
    """Build and run notebooks anew, and compare them with those in the lessons' folders.

    The exit status is 0 if cells and outputs agree, text exactly, numbers and pictures by the
    verdict of parity; 1 if not, or if a framework that was asked for is not there.
    """
    raise typer.Exit(_each(lesson or [], backend or [], _check))


@app.command()
def page(
    lesson: Lesson,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write the page.", show_default="LESSON.html")
    ] = None,
) -> None:
    """Write a lesson as one page of HTML, with all that its notebooks show.

    It opens from disk, without a network, and needs no framework: its outputs are those of the last
    run of the notebooks.
    """
    from d2lconv.notebook import document
    from d2lconv.notebook.lesson import find
    from d2lconv.notebook.page import page

    taught = find(lesson)
    file = file or Path(f"{taught.name}.html")
    files.writable(file)
    _write(file, page(document.load(taught)))


@app.command()
def slides(
    lesson: Lesson,
    folder: Annotated[Path, typer.Argument(help="Where to write the decks.")] = Path("slides"),
    backend: Backends = None,
) -> None:
    """Write a lesson as slides, a deck for each framework, with speaker notes.

    A deck is one file, which opens from disk, without a network. In it, S opens the speaker's view,
    and ?print-pdf behind its address makes it ready to be printed.
    """
    from d2lconv.notebook import document
    from d2lconv.notebook.lesson import find
    from d2lconv.notebook.slides import slides

    taught = find(lesson)
    wanted = [
        checks.choice("framework of the lesson", registry.resolve(name), taught.backends)
        for name in backend or taught.backends
    ]
    shown = document.load(taught)
    for name in wanted:
        _write(files.folder(folder) / f"{name}.html", slides(shown, name))


@app.command()
def site(
    folder: Annotated[Path, typer.Argument(help="Where to write the site.")] = Path("site"),
) -> None:
    """Write all lessons as a site: pages, decks, notebooks, the reference, and a search.

    It opens from disk, without a network, and may be copied anywhere. It begins at index.html.
    """
    from d2lconv.notebook import site

    site.write(folder)
    typer.echo(f"{folder / 'index.html'}: written, with all that belongs to it")


@app.command("open")
def open_(lesson: Annotated[str | None, typer.Argument(metavar="[LESSON]")] = None) -> None:
    """Write the site to a temporary folder, and open it, or a lesson's page, in the browser."""
    from d2lconv.notebook import site
    from d2lconv.notebook.lesson import find

    start = "index.html" if lesson is None else f"{find(lesson).name}.html"
    folder = Path(tempfile.mkdtemp(prefix="d2lconv-"))
    try:
        site.write(folder)
    finally:
        with suppress(OSError):  # it is not empty: all went well
            folder.rmdir()
    typer.echo(f"{folder / start}: written")
    if not webbrowser.open((folder / start).as_uri()):
        typer.echo(
            "There is no browser here that could be opened; open the file yourself.", err=True
        )


def _write(file: Path, text: str) -> None:
    with files.replacing(file) as opened:
        opened.write(text.encode())
    Console(highlight=False, markup=False, soft_wrap=True).print(f"{file}: written")


def plan(lessons: Sequence[str], names: Sequence[str]) -> Plan:
    """Which notebooks can be made here, of these lessons or of all, of these backends or of all."""
    from d2lconv.notebook import lesson
    from d2lconv.notebook.build import TOGETHER
    from d2lconv.notebook.library import Library

    taught = [lesson.find(name) for name in lessons] or lesson.lessons()
    wanted = {name if name == TOGETHER else registry.resolve(name) for name in names}
    statuses = {status.name: status for status in registry.backends()}
    everyone = not wanted or TOGETHER in wanted
    asked = set(wanted).union(*(each.backends for each in taught if everyone)) - {TOGETHER}
    problems = [
        f"{status.problem} Run: {status.install}"
        for name, status in statuses.items()
        if name in asked and not status.installed
    ]
    notebooks = []
    for each in taught:
        here = [Library(name) for name in each.backends if statuses[name].installed]
        notebooks += [(each, [one]) for one in here if not wanted or one.manifest.name in wanted]
        if everyone and len(here) == len(each.backends):
            notebooks.append((each, here))
    if not notebooks and not problems:
        problems = [
            f"no notebook is of {' or '.join(wanted)} in {', '.join(e.name for e in taught)}."
        ]
    return Plan(notebooks, problems)


def _each(lessons: list[str], names: list[str], work: Any) -> int:
    """Do something with each notebook, while a bar shows its cells."""
    from d2lconv.notebook.build import filename, notebook
    from d2lconv.notebook.execute import NotebookFailed, execute

    todo = plan(lessons, names)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for problem in todo.problems:
        errors.print(problem, style="yellow")
    bad = bool(names and todo.problems) or not todo.notebooks
    built = [
        (taught.folder / filename(libraries), notebook(taught, libraries), libraries)
        for taught, libraries in todo.notebooks
    ]
    count = sum(cell.cell_type == "code" for _, made, _ in built for cell in made.cells)
    with progress(console) as bar:
        task = bar.add_task("", total=count)
        for path, made, libraries in built:
            name = f"{path.parent.name}/{path.name}"
            bar.update(task, description=f"running {name}")
            try:
                execute(made, lambda: bar.advance(task))
                problems = work(path, made)
            except NotebookFailed as failed:
                hints = {one.manifest.suspicion for one in libraries} - {""}
                told = [str(failed), *(hint for hint in hints if hint not in str(failed))]
                problems = [". ".join(told)]
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
