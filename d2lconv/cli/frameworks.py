"""Importing frameworks with something to look at meanwhile."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from d2lconv import registry
from d2lconv.bound import BoundBackend, bind
from d2lconv.errors import BackendBroken, BackendNotInstalled


def load(names: list[str], console: Console) -> tuple[list[BoundBackend], list[str]]:
    """Import the frameworks of these backends.

    Returns:
        The bound APIs of those that work, and a sentence for each that does not.
    """
    ready, problems = [], []
    with progress(console) as bar:
        task = bar.add_task("", total=len(names))
        for name in names:
            framework = registry.manifests()[name][0].framework
            bar.update(task, description=f"loading {framework}")
            try:
                with _held_back_stderr():
                    dc = bind(name)
                    dc.corr2d([[1]], [[1]])  # some frameworks finish loading at the first use
                ready.append(dc)
            except (BackendNotInstalled, BackendBroken) as error:
                problems.append(str(error))
            bar.advance(task)
    return ready, problems


def progress(console: Console) -> Progress:
    """A progress bar that leaves nothing behind, and shows nothing where nobody looks."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not sys.stdout.isatty(),
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
