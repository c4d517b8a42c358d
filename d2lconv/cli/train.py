"""``d2lconv train``: LeNet, trained in every framework, a column each."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from d2lconv.cli.files import check, write
from d2lconv.cli.frameworks import installed
from d2lconv.cli.tables import fitting
from d2lconv.core import registry
from d2lconv.core.lenet import Network, lenet
from d2lconv.errors import ArgumentError
from d2lconv.training import data, loop, runner
from d2lconv.training.history import readable
from d2lconv.training.runner import Parting, Run
from d2lconv.training.worker import Job, examples

SCHEMA = 1


def train(
    backends: list[str],
    *,
    network: dict[str, Any],
    settings: dict[str, Any],
    folder: Path | None,
    images: int | None,
    json_file: Path | None,
    plot_file: Path | None,
    quiet: bool,
) -> int:
    """Train in one framework after the other, and tell whether they end with the same bits.

    Returns:
        The exit status: 0 if they do, or are of the frameworks' own layers, which may differ.
    """
    console = Console(quiet=quiet, highlight=False, markup=False)
    check(json_file, plot=plot_file)
    made = lenet(**network)
    checked = loop.settings(**settings)
    if images is not None and images < 1:
        raise ArgumentError(f"--images is {images}; it must be at least 1.")
    place = None if folder is None else str(folder.resolve())
    learned, _ = examples(place, images)  # what is wrong with them is told here, and once
    data.check_batch(checked.batch_size, learned)
    names = _chosen(backends, made)
    jobs = [Job(name, network, settings, place, images) for name in names]
    steps = -(-len(learned.labels) // checked.batch_size) * checked.epochs

    shown: list[Run] = []
    title = readable({**made.options, **settings})
    console.print(f"LeNet on {len(learned.labels):,} images: {title}", style="bold")
    live = Live(console=console, refresh_per_second=4) if sys.stdout.isatty() else nullcontext()
    with live as screen:

        def watch(one: Run) -> None:
            if one not in shown:
                shown.append(one)
            if screen is not None:
                screen.update(_picture(shown, made, checked.epochs, steps, console.width))
            elif one.epochs and one.batch is None and one.history is None:
                console.print(f"{one.framework}: {one.epochs[-1]}, {one.epochs[-1].sha256[:12]}")

        if screen is None and not quiet:
            print(f"... training in {', '.join(names)}", file=sys.stderr, flush=True)
        try:
            runs = runner.run(jobs, made, watch)
        except KeyboardInterrupt:
            if screen is None and shown:
                console.print(_picture(shown, made, checked.epochs, steps, console.width))
            raise
    if screen is None:
        console.print(_picture(runs, made, checked.epochs, steps, console.width))
    parting = runner.parting(runs, jobs)
    closing, ok = _closing(runs, made, parting)
    last = Console(highlight=False, markup=False, soft_wrap=True)
    last.print(closing, style="bold green" if ok else "bold red")
    if json_file is not None:  # after what was found is shown, for the disk may be full
        write(json_file, _document(runs, made, parting, closing))
    done = [one.history for one in runs if one.history is not None]
    if plot_file is not None and done:
        from d2lconv import figures

        figures.save(figures.training(done), plot_file)
    return 0 if ok else 1


def _chosen(backends: list[str], made: Network) -> list[str]:
    """The backends to train in: those that are asked for, or all that are installed."""
    names = installed(backends)
    if not made.is_builtin:
        return names
    if "numpy" in map(registry.resolve, backends):
        raise ArgumentError("NumPy has no layers of its own: leave --layer builtin or NumPy out.")
    return [name for name in names if name != "numpy"]


def _picture(runs: Sequence[Run], made: Network, epochs: int, steps: int, width: int) -> Group:
    """What there is so far: a column for each framework."""
    by_name = {one.framework: one for one in runs}

    def make(columns: Sequence[str]) -> Table:
        return _table([by_name[name] for name in columns], runs[0], made, epochs, steps)

    notes = [Text(f"{one.framework}: {one.problem}", "bold red") for one in runs if one.problem]
    return Group(*fitting(make, list(by_name), width), *notes)


def _table(runs: Sequence[Run], first: Run, made: Network, epochs: int, steps: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    table.add_column("", style="cyan", no_wrap=True)
    for one in runs:
        table.add_column(one.framework, justify="right", no_wrap=True)
    for number in range(max(len(one.epochs) for one in runs)):
        cells = [_epoch(one, first, made, number) for one in runs]
        lines = ["loss", "accuracy", "held out", "parameters"]
        lines += ["from the first"] * any(cell.plain.count("\n") > 3 for cell in cells)
        table.add_row(Text("\n".join([f"epoch {number + 1}: {lines[0]}", *lines[1:]])), *cells)
        table.add_section()
    if any(one.epochs for one in runs):
        table.add_row("seconds", *(f"{sum(e.seconds for e in one.epochs):.1f}" for one in runs))
    if any(one.peak for one in runs):
        table.add_row("memory", *("" if not r.peak else f"{r.peak / 2**20:,.0f} MiB" for r in runs))
    if any(one.history is None and not one.problem for one in runs):
        table.add_row("step", *("" if one.history else _step(one, steps) for one in runs))
    return table


def _epoch(one: Run, first: Run, made: Network, number: int) -> Text:
    """An epoch in one framework: what it came to, and the hash; green if it is the first one's."""
    if number >= len(one.epochs):
        return Text("")
    epoch = one.epochs[number]
    text = Text(f"{epoch.loss:.4f}\n{epoch.accuracy:.1%}\n{epoch.validation or 0:.1%}\n")
    same = number < len(first.epochs) and epoch.sha256 == first.epochs[number].sha256
    style = "green" if same else "yellow" if made.is_builtin else "bold red"
    text.append(epoch.sha256[:12], style)
    if not same and number < len(first.epochs):
        apart = runner.drift(one.parameters[number], first.parameters[number])
        text.append(f"\n{apart.ulp:,} ulp, {apart.share:.0%}", style)
    return text


def _step(one: Run, steps: int) -> str:
    if one.problem:
        return ""
    loss = "" if one.batch is None else f"{one.batch[0]:.3f} "
    return f"{loss}{len(one.steps)}/{steps}"


def _closing(runs: Sequence[Run], made: Network, parting: Parting | None) -> tuple[str, bool]:
    """The last line, and whether all is well."""
    problems = [one for one in runs if one.problem]
    done = [one for one in runs if one.history is not None]
    if problems:
        return f"Not trained in {_all([one.framework for one in problems])}: see above.", False
    first, *others = done
    everywhere = _all([one.framework for one in done])
    if not others:
        again = "with a second framework they are compared"
        return f"{made.size:,} parameters from {everywhere}; {again}.", True
    if parting is None:
        return f"{made.size:,} parameters, the same bits in {everywhere}", True
    (one,) = (one for one in others if one.backend == parting.backends[1])
    begin = f"First in that step, {one.framework} beside {first.framework}: {parting.text}"
    if made.is_builtin:
        drifts = [runner.drift(first.parameters[-1], other.parameters[-1]) for other in others]
        worst, share = max(d.ulp for d in drifts), max(d.share for d in drifts)
        return (
            f"{made.size:,} parameters of each framework's own layers: they part in step "
            f"{parting.step}, and end up to {worst:,} ulp apart, with {share:.0%} of them "
            f"different. {begin}"
        ), True
    apart = runner.drift(first.parameters[-1], one.parameters[-1])
    return (
        f"{one.framework} and {first.framework} part in step {parting.step}, in "
        f"{_all(list(parting.names))}, and end {apart.ulp:,} ulp apart, with {apart.share:.0%} of "
        f"the parameters different. Every operation is correctly rounded, so this is a bug. {begin}"
    ), False


def _all(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _document(
    runs: Sequence[Run], made: Network, parting: Parting | None, closing: str
) -> dict[str, Any]:
    first = runs[0]
    return {
        "schema": SCHEMA,
        "parameters": made.size,
        "runs": [
            {
                "history": None if one.history is None else one.history.document(),
                "backend": one.backend,
                "problem": one.problem,
                "peak": one.peak,
                "steps": one.steps,
                "drift": [
                    vars(runner.drift(a, b))
                    for a, b in zip(one.parameters, first.parameters, strict=False)
                ],
            }
            for one in runs
        ],
        "parting": None if parting is None else asdict(parting),
        "closing": closing,
    }
