"""``d2lconv bench``: how fast every method is in every framework, as ratios."""

from collections.abc import Iterator
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from d2lconv.bench import points, report
from d2lconv.bench.fit import fit
from d2lconv.bench.measure import Spread
from d2lconv.bench.worker import OWN
from d2lconv.cli.files import check, write
from d2lconv.cli.frameworks import installed, progress
from d2lconv.core import checks
from d2lconv.core.costs import BOUNDS
from d2lconv.errors import ArgumentError
from d2lconv.parity.cases import METHODS

LEGEND = {
    "size": "image-kernel; of a layer images, kernels, then p padding, s stride, d dilation, "
    "g groups",
    "what": "forward is corr2d, backward its gradients, layer Conv2D, learning one step of "
    "learn_kernel, overhead what the API adds to a call",
    "method": "how it is computed; own is the framework's own convolution, called directly",
    "time": "of one call, the median over the turns",
    "±": "half the distance of the quartiles, as a share of the time; busy if above half",
    "own": "how many times as fast as the framework's own convolution; above 1 is faster",
    "native": "how many times as fast as that through the same API",
    "loop": "how many times as fast as the lesson's loop",
    "first": "what came before the steady state, mostly compiling",
    "MiB": "the memory that a call takes at its height",
}
BUSY = (
    "busy in {rows}: the times are spread by more than half their median, also when measured three "
    "times as long. The machine was too busy to tell; measure again when it is idle, or longer: "
    "--seconds 2."
)
TIMES = (("s", 1.0), ("ms", 1e3), ("µs", 1e6))


def bench(
    backends: list[str],
    methods: list[str],
    sizes: list[str],
    *,
    full: bool,
    layers: bool,
    fitted: bool,
    seconds: float,
    json_file: Path | None,
    plot_file: Path | None,
    quiet: bool,
) -> int:
    """Measure, print a table for each framework, and write what was asked for."""
    console = Console(quiet=quiet, highlight=False, markup=False)
    check(json_file, plot=plot_file)
    chosen = [checks.choice("method", m, ("exact", "rounded", *METHODS)) for m in methods]
    if not seconds > 0:
        raise ArgumentError(f"--seconds is {seconds}; it must be greater than 0.")
    usual = (*report.METHODS, "rounded") if layers else report.METHODS
    wanted = _points(sizes, full, layers, plot_file is not None, fitted)
    more = [p for p in wanted if str(p) in (points.BOOK, "224-3") or (sizes and p.is_small)]
    more = [p for p in more if not p.is_layer]
    names = installed(backends)
    starting = 0 if sizes or fitted or layers else 3 if full else 1
    # Of each backend: every size, what is measured beside it at some, memory, and starting.
    of_layers = sum(p.is_layer for p in wanted)
    steps = len(wanted) * (1 if fitted else 2) + 4 * len(more) + of_layers + bool(starting)
    if not fitted:
        legend = Table.grid(padding=(0, 2, 0, 0))
        for head, meaning in LEGEND.items():
            legend.add_row(head, meaning)
        console.print(legend)
        console.print()
    with progress(console, quiet) as bar:
        task = bar.add_task("", total=steps * len(names))

        def watch(backend: str, point: str, what: str) -> None:
            bar.update(task, advance=1, description=f"{backend}: {point} {what}")

        def show(backend: str, report: dict[str, Any]) -> None:
            """Print what is known of a backend, now: whoever stops the rest keeps that."""
            rows = [row for row in report["rows"] if row["backend"] == backend]
            console.print(_fitted(report["backends"][backend], rows, console.width))
            busy = sum(map(_is_wide, rows))
            if busy:
                console.print(
                    BUSY.format(rows="1 row" if busy == 1 else f"{busy} rows"), style="yellow"
                )
            if backend in report["start"]:
                console.print(_start(report["start"][backend]))
            console.print()
            bar.update(task, completed=steps * (names.index(backend) + 1))

        found = report.run(
            names,
            wanted,
            methods=chosen or (tuple(BOUNDS) if fitted else usual),
            more=more,
            seconds=seconds,
            memory=not fitted,
            starting=starting,
            watch=watch,
            done=show,
        )
    closing = Console(highlight=False, markup=False)
    for line in _closing(found):
        closing.print(line, style="bold")
    if fitted:
        for name in found["backends"]:
            for cost in fit(found, name):
                closing.print(f"{name}: {cost!r},", soft_wrap=True)
    if json_file is not None:  # after what was found is shown, for the disk may be full
        write(json_file, found)
    if plot_file is not None:
        from d2lconv.bench.plot import draw

        draw(found, plot_file)
    return 0


def _points(
    sizes: list[str], full: bool, layers: bool, plotted: bool, fitted: bool
) -> list[points.Point]:
    if sizes:
        return [points.parse(size) for size in sizes]
    if fitted:
        return list(points.FIT)
    if layers and not full:
        return list(points.LAYERS)
    chosen = [*(points.FULL if full else points.QUICK), *(points.LAYERS if full else ())]
    if full or plotted:
        chosen += [*points.IMAGES, *points.KERNELS]
    return list(dict.fromkeys(chosen))


def _fitted(facts: dict[str, str], rows: list[dict[str, Any]], width: int) -> Table:
    """The table, without the last columns if the terminal is too narrow for all."""
    measure = Console(width=10_000, markup=False)
    for without in ((), ("first",), ("first", "MiB"), ("first", "MiB", "loop")):
        table = _table(facts, rows, without)
        if Measurement.get(measure, measure.options, table).maximum <= width:
            break
    if without:
        table.caption = f"A wider terminal shows: {', '.join(without)}."
        table.caption_justify = "left"
    return table


def _table(
    facts: dict[str, str], rows: list[dict[str, Any]], without: tuple[str, ...] = ()
) -> Table:
    """Every measurement in one framework, as the legend says; columns without numbers are left out.

    The sizes of a layer are long, and stand below each other.
    """
    heads = ("size", "what", "method", "time", "±", "own", "native", "loop", "first", "MiB")
    lines: list[tuple[str, ...]] = []
    before: tuple[str, str] | None = None
    left = [""]
    for row in rows:
        shown = (row["point"], row["what"])
        if before is None or row["point"] != before[0]:
            left = row["point"].split("-", 2) if len(row["image"]) == 4 else [row["point"]]
        against = (row["against"].get(other) for other in (OWN, "native", "loop"))
        peak = row.get("peak")
        lines.append(
            (
                left.pop(0) if left else "",
                "" if shown == before else row["what"],
                row["method"],
                duration(row["time"]),
                "busy" if _is_wide(row) else f"{_spread(row).half:.0%}",
                *(f"{digits(ratio['median'])}x" if ratio else "" for ratio in against),
                duration(row["start"]) if row["start"] > 1e-3 else "",
                f"{peak / 2**20:.1f}" if peak is not None else "",
            )
        )
        before = shown
    table = Table(
        title=f"{facts['framework']} {facts['version']}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    kept = [
        n for n, head in enumerate(heads) if head not in without and any(line[n] for line in lines)
    ]
    for n in kept:
        words = n < 3
        style = "cyan" if words else None
        table.add_column(heads[n], style=style, justify="left" if words else "right", no_wrap=True)
    for line in lines:
        table.add_row(*(line[n] for n in kept))
    return table


def _spread(row: dict[str, Any]) -> Spread:
    return Spread(row["time"], row["low"], row["high"])


def _is_wide(row: dict[str, Any]) -> bool:
    return _spread(row).is_wide


def _start(start: dict[str, float]) -> str:
    ours = start["backend"] - start["framework"]
    return (
        f"import: {duration(start['framework'])} the framework, {duration(max(ours, 0))} more with "
        f"d2lconv; d2lconv run: {duration(start['run'])}"
    )


def _closing(found: dict[str, Any]) -> Iterator[str]:
    """For each framework, the geometric means of the ratios to its own convolution."""
    for name, facts in found["backends"].items():
        rows = [row for row in found["rows"] if row["backend"] == name]
        for what, other, words in (
            ("forward", OWN, "times as fast as its own convolution"),
            ("backward", "native", "gradients, times as fast as those of its own convolution"),
        ):
            means: dict[str, list[str]] = {}
            for method in dict.fromkeys(row["method"] for row in rows):
                ratios = {
                    row["point"]: row["against"][other]["median"]
                    for row in rows
                    if (row["what"], row["method"]) == (what, method) and other in row["against"]
                }
                if ratios:
                    mean = geometric_mean(ratios.values())
                    means.setdefault(_over(list(ratios)), []).append(f"{method} {mean:.2f}")
            if means:
                told = "; ".join(f"{over}: {', '.join(parts)}" for over, parts in means.items())
                yield f"{facts['framework']}, {words}, {told}"


def _over(sizes: list[str]) -> str:
    """What a number is of: one size, or the mean over several."""
    if len(sizes) == 1:
        return f"at {sizes[0]}"
    return f"geometric mean over {len(sizes)} sizes from {sizes[0]} to {sizes[-1]}"


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
