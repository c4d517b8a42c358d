"""``d2lconv doctor``: the state of each framework, and what to do about it."""

import json
import os
import platform
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from d2lconv.cli.frameworks import progress
from d2lconv.cli.probe import ALL, ONE, child, number, probe
from d2lconv.core import registry
from d2lconv.core.registry import BackendStatus
from d2lconv.diagnosis import Finding, findings

NARROW = 60  # columns, below which a line of a table becomes several
PYTHONS = (3, 10), (3, 13)  # the oldest and the newest that were tested


@dataclass(frozen=True)
class Diagnosis:
    """One backend's state: "works", "not installed" or "broken"; what to know, and what helps."""

    name: str
    framework: str
    version: str | None
    state: str
    problem: str
    remedy: str


def doctor(names: list[str], *, as_json: bool) -> int:
    """Examine these backends, or all, and print what was found; the status 1 says one is broken."""
    console = Console(quiet=as_json, highlight=False, markup=False)
    _find_deadly()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is warned of here is part of what is told
        registry.manifests()
    wanted = {registry.resolve(name) for name in names} or set(registry.manifests())
    statuses = [status for status in registry.backends() if status.name in wanted]
    found = []
    with progress(console) as bar:
        task = bar.add_task("", total=len(statuses))
        for status in statuses:
            bar.update(task, description=f"examining {status.framework}")
            found.append(examine(status))
            bar.advance(task)
    if not names:
        found += _left_out()
        found.append(_surroundings())
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
    problem = probe(status.name)
    found = [*_findings(status.name), *_rivals(status.name)]
    if problem is None:
        told = [finding.problem for finding in found]
        remedies = [finding.remedy for finding in found if not finding.harmless]
        return diagnosis("works", "; ".join(told), "; ".join(remedies))
    told = [*(finding.problem for finding in found), problem]
    suspects = registry.manifests()[status.name][0].suspects
    other = f"correct or unset {suspects}" if suspects else status.install
    return diagnosis("broken", "; ".join(told), found[0].remedy if found else other)


def _findings(name: str) -> list[Finding]:
    """What is to be seen without importing, by a program that is started in this folder."""
    manifest, _ = registry.manifests()[name]
    return findings(manifest, [os.getcwd(), *sys.path])


def _rivals(name: str) -> list[Finding]:
    """Other packages that offer a backend of the same name."""
    _, package = registry.manifests()[name]
    return [
        Finding(
            f"{rival} (of {owner}) offers a backend {name!r} too; {package} is used",
            f"pip uninstall {owner}",
        )
        for rival, owner in registry.rivals.get(name, {}).items()
    ]


def _find_deadly() -> None:
    """Find the entry points that end a process when they are loaded, and have them left out."""
    if child(ALL).returncode >= 0:
        return
    for entry in entry_points(group=registry.GROUP):
        status = child(ONE, entry.module).returncode
        if status < 0:
            registry.deadly[entry.value] = f"crashes Python with signal {number(status)}"


def _left_out() -> Iterator[Diagnosis]:
    """The packages that announce a backend, and have none that can be used."""
    for name, (owner, reason) in registry.left_out.items():
        yield Diagnosis(name, owner, None, "broken", reason, f"pip uninstall {owner}")


def _surroundings() -> Diagnosis:
    """Python, the folders, and the terminal."""
    found = list(_notes())
    return Diagnosis(
        "python",
        f"Python ({platform.system()} {platform.machine()})",
        platform.python_version(),
        "works",
        "; ".join(finding.problem for finding in found),
        "; ".join(finding.remedy for finding in found),
    )


def _notes() -> Iterator[Finding]:
    oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        yield Finding(f"tested are Python {oldest} to {newest}", f"take Python {newest}")
    if not os.access(sysconfig.get_path("purelib"), os.W_OK):
        yield Finding(
            "this Python's folder of packages takes no new ones",
            "make an environment of your own: python -m venv .venv",
        )
    if not os.access(os.curdir, os.W_OK | os.X_OK):
        yield Finding(
            "the current folder takes no new files", "give --html, --json and --save another one"
        )
    try:
        tempfile.TemporaryFile().close()
    except OSError as error:
        yield Finding(
            f"no temporary file can be made ({error.strerror})", "set TMPDIR to a folder of yours"
        )
    yield from _about_the_terminal()


def _about_the_terminal() -> Iterator[Finding]:
    encoding = str(sys.stdout.encoding).lower()
    if not encoding.startswith("utf"):
        yield Finding(
            f"output is in {encoding}, and what that lacks is printed as ?",
            "set PYTHONIOENCODING=utf-8",
        )
    width = Console().width
    if width < NARROW:
        yield Finding(f"the terminal is {width} wide, so tables are split", "make it wider")
    if not sys.stdout.isatty():
        yield Finding(
            f"output goes to no terminal: no colours, no progress, {width} columns",
            "set COLUMNS, for another width",
        )
    elif os.environ.get("NO_COLOR"):
        yield Finding("NO_COLOR is set, so there are no colours", "unset it, to have them")


def _table(found: list[Diagnosis]) -> Any:
    styles = {"works": "green", "not installed": "yellow", "broken": "bold red"}
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for head in ("Backend", "Framework", "Version", "State", "Problem and remedy"):
        table.add_column(head)
    for diagnosis in found:
        help_ = [diagnosis.problem, _told(diagnosis.remedy)]
        table.add_row(
            diagnosis.name,
            diagnosis.framework,
            diagnosis.version or "",
            Text(diagnosis.state, styles[diagnosis.state]),
            "\n".join(filter(None, help_)),
        )
    return table


def _told(remedy: str) -> str:
    return f"{'Run' if remedy.startswith('pip ') else 'Remedy'}: {remedy}" if remedy else ""
