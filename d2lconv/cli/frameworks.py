"""Importing frameworks with something to look at meanwhile."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from d2lconv.binding import BoundBackend, bind
from d2lconv.cli.probe import probe
from d2lconv.core import registry
from d2lconv.errors import BackendBroken, BackendNotInstalled


def load(
    names: list[str], console: Console, quiet: bool = False
) -> tuple[list[BoundBackend], list[str]]:
    """Import the frameworks of these backends.

    Returns:
        The bound APIs of those that work, and a sentence for each that does not.
    """
    ready, problems = [], []
    with progress(console, quiet) as bar:
        task = bar.add_task("", total=len(names))
        for name in names:
            framework = registry.manifests()[name][0].framework
            bar.update(task, description=f"loading {framework}")
            try:
                _try_first(name)
                with _held_back_stderr():
                    dc = bind(name)
                    dc.corr2d([[1]], [[1]])  # some frameworks finish loading at the first use
                ready.append(dc)
            except (BackendNotInstalled, BackendBroken) as error:
                problems.append(str(error))
            bar.advance(task)
    return ready, problems


def _try_first(name: str) -> None:
    """Try a framework in another process, if a variable is set that may make it crash this one."""
    manifest, _ = registry.manifests()[name]
    if manifest.suspects and not registry.missing(manifest) and (problem := probe(name)):
        if manifest.suspicion not in problem:
            problem = f"{problem}. {manifest.suspicion}"
        raise BackendBroken(f"{manifest.framework} does not work: {problem}")


def installed(names: list[str]) -> list[str]:
    """The backends that are asked for, in that order; all that are installed, if none is.

    Raises:
        BackendNotInstalled: One that is asked for is not installed.
    """
    statuses = {status.name: status for status in registry.backends()}
    wanted = list(dict.fromkeys(map(registry.resolve, names)))
    for status in map(statuses.__getitem__, wanted):
        if not status.installed:
            raise BackendNotInstalled(f"{status.problem} Run: {status.install}")
    return wanted or [name for name, status in statuses.items() if status.installed]


class Lines(Progress):
    """Progress where no terminal is: a line on stderr at once, and one every ten seconds."""

    spoken = float("-inf")

    def update(self, task_id: TaskID, *, description: str | None = None, **changes: Any) -> None:
        super().update(task_id, description=description, **changes)
        task, now = self.tasks[task_id], monotonic()
        if description and now - Lines.spoken >= 10:
            Lines.spoken = now
            of = "" if task.total is None else f"{task.completed:.0f} of {task.total:.0f}: "
            print(f"... {of}{description}", file=sys.stderr, flush=True)


def progress(console: Console, quiet: bool = False) -> Progress:
    """A progress bar that leaves nothing behind, and a sign of life where nobody sees a bar.

    On the terminal of the output; where that is piped, on the terminal of stderr; where that is
    none either, lines on stderr. Nothing if it is to be quiet.
    """
    bar: type[Progress] = Progress
    if not sys.stdout.isatty():
        console = Console(stderr=True, highlight=False, markup=False)
        if not sys.stderr.isatty():
            bar = Progress if quiet else Lines
    return bar(
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or bar is Lines,
    )


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Keep back what compiled code writes to stderr, and show it only if the block fails.

    Frameworks log to the file descriptor while they load: which CPU they found, which GPU they
    did not. It would tear the progress bar apart and tells a reader nothing.
    """
    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # stderr is no file, so there is nothing to hold
        yield
        return
    sys.stderr.flush()
    saved = os.dup(descriptor)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), descriptor)
        try:
            yield
        except BaseException:
            os.dup2(saved, descriptor)
            held.seek(0)
            os.write(descriptor, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, descriptor)
            os.close(saved)
