"""``d2lconv run``: the lesson in the terminal, every framework in a column."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from d2lconv.binding import BoundBackend
from d2lconv.cli.frameworks import load, progress
from d2lconv.cli.steps import STEPS, Step
from d2lconv.cli.tables import fitting
from d2lconv.core import registry
from d2lconv.core.checks import choice
from d2lconv.parity import same_bits, ulp_distance


@dataclass(frozen=True)
class Row:
    """One result of a step, in every framework."""

    name: str
    cells: dict[str, Any]  # framework -> NumPy array or text
    exact: bool

    @property
    def arrays(self) -> list[Any]:
        return [cell for cell in self.cells.values() if not isinstance(cell, str)]

    @property
    def same(self) -> bool:
        return all(same_bits(array, self.arrays[0]) for array in self.arrays)

    @property
    def ulp(self) -> int | None:
        """The largest distance from the first framework's result, None if it has no meaning."""
        first, *others = self.arrays
        if any((array.dtype, array.shape) != (first.dtype, first.shape) for array in others):
            return None
        return max(int(ulp_distance(array, first).max()) for array in self.arrays)

    @property
    def verdict(self) -> Text:
        if len(self.arrays) < 2:
            return Text("")
        if self.same:
            return Text("same bits", "green")
        style = "bold red" if self.exact else "yellow"
        return Text("other type" if self.ulp is None else f"{self.ulp:,} ulp", style)


def run(names: list[str], method: str, *, quiet: bool, as_json: bool) -> int:
    """Do the lesson and print it.

    Args:
        names: The backends to run, or none for all that are installed.
        method: The method of ``corr2d``.
        quiet: Print the closing line alone.
        as_json: Print one JSON document, and nothing else.

    Returns:
        The exit status.
    """
    choice("method", method, ("exact", "loop"))
    console = Console(quiet=quiet or as_json, highlight=False, markup=False)
    wanted = list(dict.fromkeys(registry.resolve(name) for name in names))
    frameworks, problems = load(wanted or list(registry.manifests()), console, quiet)
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    for problem in problems:
        errors.print(problem, style="yellow")
    if not frameworks:
        return 1
    versions = {status.framework: status.version or "?" for status in registry.backends()}
    heading = " · ".join(f"{dc.framework} {versions[dc.framework]}" for dc in frameworks)
    console.rule(Text("Convolutions for Images", "bold"))
    console.print("Dive into Deep Learning, section 7.2, side by side", justify="center")
    console.print(heading, justify="center", style="dim")

    lesson: list[tuple[Step, list[Row]]] = []
    for number, step in enumerate(STEPS, 1):
        rows = _compute(step, frameworks, method, console, quiet)
        lesson.append((step, rows))
        console.print()
        console.print(f"{number}. {step.title}", style="bold")
        console.print(step.text)
        for table in _tables(rows, frameworks, console.width):
            console.print()
            console.print(table)

    rows = [row for _, part in lesson for row in part if row.arrays]
    exact = [row for row in rows if row.exact]
    same = sum(row.same for row in exact)
    closing = _closing(rows, [dc.framework for dc in frameworks])
    if as_json:
        document = _document(lesson, frameworks, versions, method, problems, closing)
        print(json.dumps(document, indent=2))  # at once: whole, or not there
    else:
        console.print()
        for line in closing[:-1]:
            console.print(line)
        Console(highlight=False, markup=False).print(closing[-1], style="bold")
    return 0 if same == len(exact) and not (problems and wanted) else 1


def _compute(
    step: Step, frameworks: list[BoundBackend], method: str, console: Console, quiet: bool
) -> list[Row]:
    rows: dict[str, Row] = {}
    with progress(console, quiet) as bar:
        task = bar.add_task("", total=len(frameworks))
        for dc in frameworks:
            bar.update(task, description=f"{step.title}: {dc.framework}")
            for result in step.compute(dc, method):
                row = rows.setdefault(result.name, Row(result.name, {}, result.exact))
                value = result.value
                row.cells[dc.framework] = value if isinstance(value, str) else dc.to_numpy(value)
            bar.advance(task)
    return list(rows.values())


def _closing(rows: list[Row], frameworks: list[str]) -> list[str]:
    """What the lesson ends with: a line for what may differ, and one for what must not."""
    everywhere = " and ".join(filter(None, [", ".join(frameworks[:-1]), frameworks[-1]]))
    if len(frameworks) == 1:
        return [
            f"{len(rows)} results from {everywhere}; with a second framework they are compared."
        ]
    exact = [row for row in rows if row.exact]
    own = [row for row in rows if not row.exact and len(row.arrays) > 1]
    lines = [
        f"Same bits in {everywhere}: {sum(row.same for row in exact)} of {len(exact)} results."
    ]
    if own:
        worst = max(row.ulp or 0 for row in own)
        lines.insert(
            0,
            f"Within {worst:,} ulp, each in its framework's own order: {len(own)} more. An ulp is "
            "the distance from one float to the next.",
        )
    return lines


def _tables(rows: list[Row], frameworks: list[BoundBackend], width: int) -> list[Table]:
    """The results as a table, or as several below each other where they are too wide for one."""
    if not rows:
        return []
    names = [dc.framework for dc in frameworks]
    return fitting(lambda part: _table(rows, part), names, width)


def _table(rows: list[Row], frameworks: Sequence[str]) -> Table:
    lines = max(str(_show(cell)).count("\n") for row in rows for cell in row.cells.values())
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False, leading=min(lines, 1))
    table.add_column("", style="cyan", no_wrap=True)
    for framework in frameworks:
        table.add_column(framework, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        cells = [_show(row.cells.get(framework, "")) for framework in frameworks]
        table.add_row(row.name, *cells, row.verdict)
    return table


def _show(cell: Any) -> str:
    """A matrix as aligned lines: integers without decimals, anything else with four."""
    if isinstance(cell, str):
        return cell
    whole = bool(np.all(np.isfinite(cell) & (cell == np.round(cell))))
    texts = [[f"{value:.0f}" if whole else f"{value:.4f}" for value in row] for row in cell + 0.0]
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))]
    lines = [" ".join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in texts]
    return "\n".join(lines)


def _document(
    lesson: list[tuple[Step, list[Row]]],
    frameworks: list[BoundBackend],
    versions: dict[str, str],
    method: str,
    problems: list[str],
    closing: list[str],
) -> dict[str, Any]:
    def value(cell: Any) -> Any:
        return cell if isinstance(cell, str) else cell.tolist()

    backend = {dc.framework: dc.name for dc in frameworks}
    return {
        "lesson": "Dive into Deep Learning, section 7.2",
        "method": method,
        "backends": {
            dc.name: {"framework": dc.framework, "version": versions[dc.framework]}
            for dc in frameworks
        },
        "problems": problems,
        "steps": [
            {
                "title": step.title,
                "text": step.text,
                "results": [
                    {
                        "name": row.name,
                        "exact": row.exact,
                        "same_bits": row.same if len(row.arrays) > 1 else None,
                        "ulp": row.ulp if len(row.arrays) > 1 else None,
                        "values": {backend[name]: value(cell) for name, cell in row.cells.items()},
                    }
                    for row in rows
                ],
            }
            for step, rows in lesson
        ],
        "closing": closing[-1],
    }
