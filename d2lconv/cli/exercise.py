"""``d2lconv exercise``: the lessons' exercises in the terminal."""

import runpy
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from d2lconv import exercise
from d2lconv.core import selection
from d2lconv.errors import ArgumentError

app = typer.Typer(
    no_args_is_help=True,
    help="List, show and solve the lessons' exercises, and check your own answers.",
)

Name = Annotated[str, typer.Argument(metavar="EXERCISE", help='Such as "2a".')]
Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        "-b",
        metavar="NAME",
        help="The backend in force: numpy, torch, tf, mxnet or jax.",
        show_default="D2LCONV_BACKEND, else numpy",
    ),
]


@app.command("list")
def list_() -> None:
    """List the exercises."""
    for name, item in exercise.exercises.items():
        typer.echo(f"{name:<7}{item.title}")


@app.command()
def show(name: Name) -> None:
    """Print what an exercise asks, and what an answer is."""
    item = exercise.find(name)
    _print(f"{item.id}. {item.title}", item.statement)


@app.command()
def hint(name: Name) -> None:
    """Print a push in the right direction."""
    _print(exercise.find(name).hint)


@app.command()
def solution(name: Name, backend: Backend = None) -> None:
    """Print a solution, as a Python program that defines `answer`."""
    typer.echo(exercise.find(name).solution(backend), nl=False)


@app.command()
def check(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A Python program that defines `answer`.")],
    backend: Backend = None,
) -> None:
    """Run a file, and check the answer that it defines.

    The exit status is 0 if the answer is right, or a text, which nothing judges; 1 if it is wrong.
    """
    item = exercise.find(name)
    with nullcontext() if backend is None else selection.chosen(backend):
        verdict = exercise.check(item.id, _answer(file, item.id))
    _print(verdict.message)
    raise typer.Exit(1 if verdict.right is False else 0)


def _answer(file: Path, name: str) -> Any:
    """What a program calls ``answer_2a`` or ``answer_7_3_1``, for that exercise, or ``answer``."""
    try:
        found = runpy.run_path(str(file))
    except (Exception, SystemExit) as error:
        raise ArgumentError(
            f"running {str(file)!r} raised {type(error).__name__}: {error}; it must be a Python "
            "program that defines `answer`."
        ) from error
    own = f"answer_{name}".replace(".", "_").replace("-", "_")
    for wanted in (own, "answer"):
        if wanted in found:
            return found[wanted]
    raise ArgumentError(f"{str(file)!r} defines neither `{own}` nor `answer`.")


def _print(*paragraphs: str) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    for paragraph in paragraphs:
        console.print(paragraph)
