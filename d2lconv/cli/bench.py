"""``d2lconv bench``: how fast every method is in every framework, as ratios."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from d2lconv import checks, registry
from d2lconv.bench import points, report
from d2lconv.bench.fit import fit
from d2lconv.bench.worker import OWN
from d2lconv.cli.frameworks import progress
from d2lconv.costs import BOUNDS
from d2lconv.errors import ArgumentError, BackendNotInstalled
from d2lconv.extras import needed
from d2lconv.files import replacing, writable
from d2lconv.parity.cases import METHODS

TIMES = (("s", 1.0), ("ms", 1e3), ("µs", 1e6))


def bench(
    backends: list[str],
    methods: list[str],
    sizes: list[str],
    *,
    full: bool,
    fitted: bool,
    seconds: float,
    json_file: Path | None,
    plot_file: Path | None,
    quiet: bool,
) -> int:
    """Measure, print a table for each framework, and write what was asked for."""
    console = Console(quiet=quiet, highlight=False, markup=False)
    for file in filter(None, (json_file, plot_file)):
        writable(file)
    if plot_file is not None:
        with needed("plots"):
            from d2lconv.bench.plot import draw
            from d2lconv.figures.canvas import ending
        ending(plot_file)
    chosen = [checks.choice("method", m, ("exact", *METHODS)) for m in methods]
    if not seconds > 0:
        raise ArgumentError(f"--seconds is {seconds}; it must be greater than 0.")
    wanted = _points(sizes, full, plot_file is not None, fitted)
    with progress(console) as bar:
        task = bar.add_task("", total=None)

        def watch(backend: str, point: str, what: str) -> None:
            bar.update(task, advance=1, description=f"{backend}: {point} {what}")

        def show(backend: str, report: dict[str, Any]) -> None:
            """Print what is known of a backend, now: whoever stops the rest keeps that."""
            console.print(_table(backend, report["backends"][backend], report["rows"]))
            if backend in report["start"]:
                console.print(_start(report["start"][backend]))
            console.print()

        found = report.run(
            _installed(backends),
            wanted,
            methods=chosen or (tuple(BOUNDS) if fitted else report.METHODS),
            more=[p for p in wanted if str(p) in (points.BOOK, "224-3") or (sizes and p.is_small)],
            seconds=seconds,
            memory=not fitted,
            starting=0 if sizes or fitted else 3 if full else 1,
            watch=watch,
            done=show,
        )
    if json_file is not None:
        with replacing(json_file) as whole:
            whole.write((json.dumps(found, indent=1) + "\n").encode())
    if plot_file is not None:
        draw(found, plot_file)
    closing = Console(highlight=False, markup=False)
    for line in _closing(found):
        closing.print(line, style="bold")
    if fitted:
        for name in found["backends"]:
            for cost in fit(found, name):
                closing.print(f"{name}: {cost!r},", soft_wrap=True)
    return 0


def _points(sizes: list[str], full: bool, plotted: bool, fitted: bool) -> list[points.Point]:
    if sizes:
        return [points.parse(size) for size in sizes]
    if fitted:
        return list(points.FIT)
    chosen = [*(points.FULL if full else points.QUICK)]
    if full or plotted:
        chosen += [*points.IMAGES, *points.KERNELS]
    return list(dict.fromkeys(chosen))


def _installed(backends: list[str]) -> list[str]:
    """The backends asked for, which must be installed; all that are, if none was."""
    wanted = {registry.resolve(name) for name in backends}
    statuses = [s for s in registry.backends() if not wanted or s.name in wanted]
    for status in statuses:
        if wanted and not status.installed:
            raise BackendNotInstalled(f"{status.problem} Run: {status.install}")
    return [status.name for status in statuses if status.installed]


def _table(name: str, facts: dict[str, str], rows: list[dict[str, Any]]) -> Table:
    """Every measurement in one framework.

    The ratios say how many times faster a method is than the framework's own convolution, than
    that through the same API, and than the loop.
    """
    table = Table(
        title=f"{facts['framework']} {facts['version']}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for head in ("size", "what", "method"):
        table.add_column(head, style="cyan", no_wrap=True)
    for head in ("time", "±", "own", "native", "loop", "first", "MiB"):
        table.add_column(head, justify="right", no_wrap=True)
    before = None
    for row in rows:
        if row["backend"] != name:
            continue
        size = str(points.Point(tuple(row["image"]), tuple(row["kernel"])))
        first = (size, row["what"])
        heads = first if first != before else ("", "")
        before = first
        half = (row["high"] - row["low"]) / 2 / row["time"]
        against = (row["against"].get(other) for other in (OWN, "native", "loop"))
        peak = row.get("peak")
        table.add_row(
            *heads,
            row["method"],
            duration(row["time"]),
            f"{half:.0%}",
            *(f"{digits(ratio['median'])}x" if ratio else "" for ratio in against),
            duration(row["start"]) if row["start"] > 1e-3 else "",
            f"{peak / 2**20:.1f}" if peak is not None else "",
        )
    return table


def _start(start: dict[str, float]) -> str:
    ours = start["backend"] - start["framework"]
    return (
        f"import: {duration(start['framework'])} the framework, {duration(max(ours, 0))} more with "
        f"d2lconv; d2lconv run: {duration(start['run'])}"
    )


def _closing(found: dict[str, Any]) -> Iterator[str]:
    """For each framework, the geometric means of the ratios to its own convolution."""
    for name, facts in found["backends"].items():
        means = []
        for method in dict.fromkeys(row["method"] for row in found["rows"]):
            ratios = [
                row["against"][OWN]["median"]
                for row in found["rows"]
                if (row["backend"], row["what"], row["method"]) == (name, "forward", method)
                and OWN in row["against"]
            ]
            if ratios:
                means.append(f"{method} {report.geometric_mean(ratios):.2f}")
        yield f"{facts['framework']}, times as fast as its own convolution: {', '.join(means)}"


def duration(seconds: float) -> str:
    """A time with three digits and a unit.

    Example:
        >>> duration(0.00123)
        '1.23 ms'
    """
    unit, factor = next(((u, f) for u, f in TIMES if seconds * f >= 0.9995), TIMES[-1])
    return f"{digits(seconds * factor)} {unit}"


def digits(value: float) -> str:
    """A number with three digits, or as many as it has before the point.

    Example:
        >>> digits(1.234), digits(123456.7)
        ('1.23', '123457')
    """
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"
