"""What is seen of training while it goes on: a line an epoch, and a progress bar with rich."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from d2lconv.training.history import Epoch
from d2lconv.training.loop import Settings, Watcher


class Silent:
    """Shows nothing."""

    def batch(self, loss: float, accuracy: float) -> None:
        """Show nothing."""

    def epoch(self, one: Epoch) -> None:
        """Show nothing."""


class Lines(Silent):
    """Prints a line for each epoch."""

    def epoch(self, one: Epoch) -> None:
        """Print the epoch."""
        print(one, flush=True)


class Bar(Silent):
    """Prints a line for each epoch, above a bar that tells loss and accuracy."""

    def __init__(self, progress: Any, settings: Settings, images: int) -> None:
        batches = -(-images // settings.batch_size)
        self.progress, self.settings, self.number = progress, settings, 1
        self.task = progress.add_task(self.head(), total=batches * settings.epochs)

    def head(self) -> str:
        """Which epoch it is."""
        return f"epoch {min(self.number, self.settings.epochs)}/{self.settings.epochs}"

    def batch(self, loss: float, accuracy: float) -> None:
        """Move the bar."""
        text = f"{self.head()}, loss {loss:.3f}, accuracy {accuracy:.3f}"
        self.progress.update(self.task, advance=1, description=text)

    def epoch(self, one: Epoch) -> None:
        """Print the epoch above the bar."""
        self.number = one.epoch + 1
        self.progress.console.print(str(one), markup=False, highlight=False)


@contextmanager
def shown(verbose: bool, settings: Settings, images: int) -> Iterator[Watcher]:
    """Who shows training, for so many images: nobody, lines, or lines and a bar."""
    if not verbose:
        yield Silent()
        return
    try:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ModuleNotFoundError:  # it comes with the extra "cli"
        yield Lines()
        return
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    progress = Progress(*columns, transient=True)
    if not (progress.console.is_terminal or progress.console.is_jupyter):
        yield Lines()
        return
    with progress:
        yield Bar(progress, settings, images)
