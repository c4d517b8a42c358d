"""``d2lconv parity``: every case in every framework, as a matrix of verdicts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from d2lconv.cli.files import check
from d2lconv.cli.frameworks import progress
from d2lconv.cli.tables import fitting
from d2lconv.core import registry
from d2lconv.errors import ArgumentError, FileError
from d2lconv.files import replacing
from d2lconv.parity import recording
from d2lconv.parity.cases import choose
from d2lconv.parity.cases.case import Case
from d2lconv.parity.page import page
from d2lconv.parity.report import WRONG, Cell, ParityReport, document
from d2lconv.parity.runner import run, where

STYLES = {"identical": "green", "rounding": "yellow", "known": "cyan"}
STYLES |= dict.fromkeys(WRONG, "bold red")


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
    everything: bool,
    quiet: bool,
) -> int:
    """Run the cases, or judge recordings, and print the matrix; the status 1 tells of a bug."""
    console = Console(quiet=quiet, highlight=False, markup=False)
    check(json_file, html_file, save_file)
    if compare:
        if backends or at or save_file:
            raise ArgumentError(
                "--compare reads recordings: it takes no --backend, --at or --save."
            )
        report = recording.compare_recordings(compare, cases or None)
    else:
        report = _run(backends, cases, at, seconds, console, quiet)
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
    _print(report, console, everything)
    Console(highlight=False, markup=False).print(
        str(report), style="bold green" if report.ok else "bold red"
    )
    if problem is not None:
        raise problem
    return 0 if report.ok else 1


def _run(
    backends: list[str],
    cases: list[str],
    at: list[str],
    seconds: float,
    console: Console,
    quiet: bool,
) -> ParityReport:
    places = {}
    for assignment in at:
        name, equals, place = assignment.partition("=")
        if not (name and equals and place):
            raise ArgumentError(
                f"--at is {assignment!r}; write NAME=PYTHON, such as mxnet=/opt/old/bin/python, or "
                "NAME=ssh=HOST."
            )
        name = registry.resolve(name)
        if name in places:
            raise ArgumentError(f"--at places {name} twice. Run one place after the other.")
        places[name] = place
    wanted = [*backends, *places] if backends else None
    total = len(choose(cases or None))
    with progress(console, quiet) as bar:
        tasks = {
            name: bar.add_task(f"{name}: loading", total=total) for name in where(wanted, places)
        }

        def watch(name: str, case: str, cell: Cell) -> None:
            bar.update(tasks[name], advance=1, description=f"{name}: {case}")

        return run(wanted, cases or None, at=places, seconds=seconds, watch=watch)


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())


def _print(report: ParityReport, console: Console, everything: bool) -> None:
    shown = [case for case in report.cases if everything or not _same(report, case)]
    if shown:
        for table in fitting(_table(report, shown), list(report.backends), console.width):
            console.print(table)
            console.print()
    if len(shown) < len(report.cases):
        hidden = len(report.cases) - len(shown)
        console.print(
            f"{hidden:,} {'more ' * bool(shown)}case{'s' * (hidden != 1)}: same bits in every "
            "framework (--all shows them)."
        )
        console.print()
    bugs: dict[tuple[str, str, str], list[str]] = {}
    details: dict[tuple[str, str, str], list[str]] = {}
    for case, column, cell in report.bugs:
        key = cell.verdict.upper(), column, cell.reason
        bugs.setdefault(key, []).append(case)
        details.setdefault(key, cell.details.strip().splitlines()[-12:])
    for (verdict, column, reason), names in bugs.items():
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        console.print(f"{verdict} in {column}: {names[0]}{more}", style="bold red")
        console.print(Padding(reason, (0, 0, 0, 2)))
        for line in details[verdict, column, reason]:
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


def _same(report: ParityReport, case: Case) -> bool:
    """Whether a case has the same bits in every column."""
    cells = [report.cells.get((case.name, column)) for column in report.backends]
    return all(cell is not None and cell.verdict == "identical" for cell in cells)


def _table(report: ParityReport, cases: list[Case]) -> Callable[[Sequence[str]], Table]:
    def make(columns: Sequence[str]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
        table.add_column("", style="cyan", no_wrap=True)
        for column in columns:
            framework = report.backends[column].get("framework", column)
            version = report.backends[column].get("version", "")
            table.add_column(f"{framework}\n{version}", justify="right", no_wrap=True)
        for case in cases:
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
    wrong = cell.verdict.upper() if cell.verdict in WRONG else ""
    if cell.ulp is None:
        return wrong
    ulp = "NaN" if cell.ulp == 2**64 - 1 else f"{cell.ulp:,} ulp" if cell.ulp < 1e6 else ">1e6 ulp"
    share = "" if cell.share is None else f" {_percent(cell.share)}"
    return f"{wrong} {ulp}{share}".lstrip()


def _percent(share: float) -> str:
    if share < 0.01:
        return "<1%"
    return f"{share:.0%}" if share < 10 else ">10x"
