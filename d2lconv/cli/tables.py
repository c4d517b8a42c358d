"""Tables with a column for each framework, in terminals of any width."""

from collections.abc import Callable, Sequence
from inspect import cleandoc

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table


def fitting(
    make: Callable[[Sequence[str]], Table], columns: Sequence[str], width: int
) -> list[Table]:
    """The table, or as few tables below each other as it takes to fit.

    Args:
        make: Makes the table for some of the columns.
        columns: All columns.
        width: The width of the terminal.
    """
    measure = Console(width=10_000, markup=False)
    tables: list[Table] = []
    for count in range(1, len(columns) + 1):
        size = -(-len(columns) // count)
        parts = [columns[i : i + size] for i in range(0, len(columns), size)]
        tables = [make(part) for part in parts]
        widest = max(Measurement.get(measure, measure.options, table).maximum for table in tables)
        if widest <= width:
            break
    return tables


def flow(app: typer.Typer) -> None:
    """Have the paragraphs of the commands' help break where the terminal does, and only there."""
    for command in app.registered_commands:
        function = command.callback
        if function is not None and function.__doc__:
            paragraphs = cleandoc(function.__doc__).split("\n\n")
            function.__doc__ = "\n\n".join(" ".join(text.split()) for text in paragraphs)
