"""``d2lconv parity``: every case in every framework, as a matrix of verdicts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from d2lconv import registry
from d2lconv.cli.frameworks import progress
from d2lconv.cli.tables import fitting
from d2lconv.errors import ArgumentError, FileError
from d2lconv.files import replacing, writable
from d2lconv.parity import recording
from d2lconv.parity.cases import choose
from d2lconv.parity.page import page
from d2lconv.parity.report import Cell, ParityReport, document
from d2lconv.parity.runner import run, where

STYLES = {"identical": "green", "rounding": "yellow", "known": "cyan", "bug": "bold red"}


def parity(
    backends: list[str],
    cases: list[str],
    at: list[str],
    compare: list[Path],
    *,
    seconds: float,
    json_file: Path | None,
    html_file: Path | None,
    save_file: Path | None,
    quiet: bool,
) -> int:
    """Run the cases, or judge recordings, and print the matrix; the status 1 tells of a bug."""
    console = Console(quiet=quiet, highlight=False, markup=False)
    for file in filter(None, (json_file, html_file, save_file)):
        writable(file)
    if compare:
        if backends or at or save_file:
            raise ArgumentError(
                "--compare reads recordings: it takes no --backend, --at or --save."
            )
        report = recording.compare_recordings(compare, cases or None)
    else:
        report = _run(backends, cases, at, seconds, console)
    problem = None
    try:
        if save_file is not None:
            recording.save(report, save_file)
        if json_file is not None:
            _write(json_file, json.dumps(document(report), indent=2) + "\n")
        if html_file is not None:
            _write(html_file, page(report))
    except FileError as error:  # what was found is shown all the same
        problem = error
    _print(report, console)
    Console(highlight=False, markup=False).print(
        str(report), style="bold green" if report.ok else "bold red"
    )
    if problem is not None:
        raise problem
    return 0 if report.ok else 1


def _run(
    backends: list[str], cases: list[str], at: list[str], seconds: float, console: Console
) -> ParityReport:
    places = {}
    for assignment in at:
        name, equals, place = assignment.partition("=")
        if not (name and equals and place):
            raise ArgumentError(
                f"--at is {assignment!r}; write NAME=PYTHON, such as mxnet=/opt/old/bin/python, or "
                "NAME=ssh=HOST."
            )
        places[registry.resolve(name)] = place
    wanted = [*backends, *places] if backends else None
    total = len(choose(cases or None))
    with progress(console) as bar:
        tasks = {
            name: bar.add_task(f"{name}: loading", total=total) for name in where(wanted, places)
        }

        def watch(name: str, case: str, cell: Cell) -> None:
            bar.update(tasks[name], advance=1, description=f"{name}: {case}")

        return run(wanted, cases or None, at=places, seconds=seconds, watch=watch)


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())


def _print(report: ParityReport, console: Console) -> None:
    for table in fitting(_table(report), list(report.backends), console.width):
        console.print(table)
        console.print()
    bugs: dict[tuple[str, str], list[str]] = {}
    details: dict[tuple[str, str], list[str]] = {}
    for case, column, cell in report.bugs:
        bugs.setdefault((column, cell.reason), []).append(case)
        details.setdefault((column, cell.reason), cell.details.strip().splitlines()[-12:])
    for (column, reason), names in bugs.items():
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        console.print(f"BUG in {column}: {names[0]}{more}", style="bold red")
        console.print(Padding(reason, (0, 0, 0, 2)))
        for line in details[column, reason]:
            console.print(f"  | {line}", style="dim")
        console.print()
    stated: dict[tuple[str, str], int] = {}
    for (_, column), cell in report.cells.items():
        if cell.verdict == "known":
            stated[column, cell.reason] = stated.get((column, cell.reason), 0) + 1
    if stated:
        console.print("Known deviations, which the run holds the backends to:")
        for (column, reason), count in stated.items():
            console.print(f"  {column}: {reason} ({count} case{'s' * (count != 1)})")
        console.print()


def _table(report: ParityReport) -> Callable[[Sequence[str], bool], Table]:
    def make(columns: Sequence[str], last: bool) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
        table.add_column("", style="cyan", no_wrap=True)
        for column in columns:
            framework = report.backends[column].get("framework", column)
            version = report.backends[column].get("version", "")
            table.add_column(f"{framework}\n{version}", justify="right", no_wrap=True)
        for case in report.cases:
            cells = [report.cells.get((case.name, column)) for column in columns]
            table.add_row(case.name, *map(_text, cells))
        return table

    return make


def _text(cell: Cell | None) -> Text:
    if cell is None:
        return Text("")
    return Text(words(cell), STYLES[cell.verdict])


def words(cell: Cell) -> str:
    """A cell in a few characters."""
    if cell.verdict in ("identical", "known"):
        return {"identical": "same bits", "known": "known"}[cell.verdict]
    if cell.ulp is None:
        return "BUG"
    ulp = "NaN" if cell.ulp == 2**64 - 1 else f"{cell.ulp:,} ulp" if cell.ulp < 1e6 else ">1e6 ulp"
    share = "" if cell.share is None else f" {_percent(cell.share)}"
    return f"{'BUG ' * (cell.verdict == 'bug')}{ulp}{share}"


def _percent(share: float) -> str:
    if share < 0.01:
        return "<1%"
    return f"{share:.0%}" if share < 10 else ">10x"
