"""The five runs of section 7.2.4 that the book and its slides print, to be replayed.

Each framework's tab shows one run, from a random start of its own that is not printed. A step of
gradient descent on this problem is linear and can be undone, so the printed kernel gives the
start back, within the rounding of its printed digits. From there every framework can replay every
run, not only its own. The data is in ``published.json``.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from d2lconv.core.learned import LearnedKernel

__all__ = ["EPOCHS", "KERNEL", "LR", "PublishedRun", "Replay", "replay", "runs"]

LR = 3e-2
EPOCHS = 10
KERNEL = ((1.0, -1.0),)


@dataclass(frozen=True)
class PublishedRun:
    """One printed run.

    Attributes:
        id: Where it is printed, such as "book-jax".
        initial: The elements of the kernel (1, 2) that reproduces it.
        losses: The losses of epochs 2, 4, 6, 8 and 10, as printed.
        learned: The elements of the learned kernel (1, 2), as printed.
    """

    id: str
    initial: tuple[float, ...]
    losses: tuple[str, ...]
    learned: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """A published run done again, and what it prints in the published form."""

    run: LearnedKernel
    losses: tuple[str, ...]
    learned: tuple[str, ...]


def runs() -> tuple[PublishedRun, ...]:
    """The five published runs."""
    data = json.loads(files("d2lconv").joinpath("published.json").read_text(encoding="utf-8"))
    return tuple(
        PublishedRun(
            id=run["id"],
            initial=tuple(run["initial"]),
            losses=tuple(run["losses"]),
            learned=tuple(run["learned"]),
        )
        for run in data["runs"]
    )


def replay(published: PublishedRun, dc: Any, layer: str = "exact") -> Replay:
    """Do a published run again.

    Args:
        published: The run.
        dc: The API that does it, neutral or bound to a backend.
        layer: "exact" or "builtin", as in ``learn_kernel``.

    Example:
        >>> import d2lconv as dc
        >>> print(*replay(runs()[0], dc).losses)
        16.481 5.069 1.794 0.688 0.274
    """
    X = dc.edge_image()
    Y = dc.corr2d(X, KERNEL)
    initial = [published.initial]
    run = dc.learn_kernel(X, Y, (1, 2), lr=LR, epochs=EPOCHS, init=initial, layer=layer)
    elements = zip(dc.to_numpy(run.kernel).ravel(), published.learned, strict=True)
    return Replay(
        run,
        losses=tuple(f"{loss:.3f}" for loss in run.losses[1::2]),
        learned=tuple(f"{value:.{len(text.partition('.')[2])}f}" for value, text in elements),
    )


def __dir__() -> list[str]:
    """What is for users, for completion."""
    return list(__all__)
