"""``d2lconv conventions``: what each framework does if nobody says otherwise."""

import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from d2lconv.cli.frameworks import progress
from d2lconv.cli.tables import fitting
from d2lconv.core import registry
from d2lconv.parity.defaults import PROBES, Conventions, answering, conventions


def show(names: list[str], *, as_json: bool) -> int:
    """Ask these backends, or all, and print the answers."""
    console = Console(quiet=as_json, highlight=False, markup=False)
    manifests = registry.manifests()
    wanted = answering(names or None)
    with progress(console, as_json) as bar:
        task = bar.add_task("", total=len(wanted))

        def watch(name: str) -> None:
            bar.update(task, description=f"asking {manifests[name][0].framework}", advance=1)

        found = conventions(wanted, watch=watch)
    if as_json:
        print(json.dumps(found.document(), indent=2))
        return 0

    def make(columns: Sequence[str]) -> Table:
        return _table(found, columns)

    for table in fitting(make, list(found.layers), console.width):
        console.print(table)
    differing = found.differing()
    if differing:
        console.print("\nWhere they differ, in a port:")
        help_ = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=False)
        help_.add_column(style="cyan", no_wrap=True)
        for probe in differing:
            help_.add_row(probe.name, probe.why)
        console.print(help_)
    return 0


def _table(found: Conventions, columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", style="cyan", no_wrap=True)
    for name in columns:
        framework, _, version = found.versions[name].partition(" ")
        table.add_column(f"{framework}\n{version}\n{found.layers[name]}", no_wrap=True)
    for probe in PROBES:
        table.add_row(probe.name, *(found.cells[probe.name, name] for name in columns))
    return table
