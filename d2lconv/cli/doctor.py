"""``d2lconv doctor``: the state of each framework, and what to do about it."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from d2lconv import registry
from d2lconv.cli.frameworks import progress
from d2lconv.registry import BackendStatus

# What a child process runs: import the framework, compute one element, say that it is right.
PROBE = """
import sys
import d2lconv as dc
from d2lconv.orphans import end_with_parent
end_with_parent()
with dc.backend(sys.argv[1]) as bound:
    print(bound.to_numpy(bound.corr2d([[0, 1], [3, 4]], [[0, 1], [2, 3]])).item())
"""
SECONDS = 180


@dataclass(frozen=True)
class Diagnosis:
    """One backend's state: "works", "not installed" or "broken", and what helps."""

    name: str
    framework: str
    version: str | None
    state: str
    problem: str
    remedy: str


def doctor(names: list[str], *, as_json: bool) -> int:
    """Examine these backends, or all, and print what was found; the status 1 says one is broken."""
    console = Console(quiet=as_json, highlight=False, markup=False)
    wanted = {registry.resolve(name) for name in names} or set(registry.manifests())
    statuses = [status for status in registry.backends() if status.name in wanted]
    found = []
    with progress(console) as bar:
        task = bar.add_task("", total=len(statuses))
        for status in statuses:
            bar.update(task, description=f"examining {status.framework}")
            found.append(examine(status))
            bar.advance(task)
    if as_json:
        print(json.dumps([asdict(diagnosis) for diagnosis in found], indent=2))
    else:
        console.print(_table(found))
    return 1 if any(diagnosis.state == "broken" for diagnosis in found) else 0


def examine(status: BackendStatus) -> Diagnosis:
    """Import one backend's framework in a process of its own, and use it once."""

    def diagnosis(state: str, problem: str = "", remedy: str = "") -> Diagnosis:
        return Diagnosis(status.name, status.framework, status.version, state, problem, remedy)

    if not status.installed:
        return diagnosis("not installed", status.problem or "", status.install)
    try:
        child = subprocess.run(
            [sys.executable, "-c", PROBE, status.name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return diagnosis("broken", f"it did not answer within {SECONDS} seconds", status.install)
    if child.returncode < 0:
        return diagnosis("broken", f"it crashed with signal {-child.returncode}", status.install)
    if child.returncode > 0:
        lines = [line for line in child.stderr.splitlines() if line.strip()]
        return diagnosis("broken", lines[-1] if lines else "it gave no reason", status.install)
    if child.stdout.split()[-1:] != ["19.0"]:
        return diagnosis("broken", f"it gave {child.stdout!r} instead of 19.0", status.install)
    return diagnosis("works")


def _table(found: list[Diagnosis]) -> Any:
    styles = {"works": "green", "not installed": "yellow", "broken": "bold red"}
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for head in ("Backend", "Framework", "Version", "State", "Problem and remedy"):
        table.add_column(head)
    for diagnosis in found:
        help_ = [diagnosis.problem, diagnosis.remedy and f"Run: {diagnosis.remedy}"]
        table.add_row(
            diagnosis.name,
            diagnosis.framework,
            diagnosis.version or "",
            Text(diagnosis.state, styles[diagnosis.state]),
            "\n".join(filter(None, help_)),
        )
    return table
