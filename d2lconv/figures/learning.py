"""Learning a kernel: the losses of several frameworks, and the way down the error's surface."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from d2lconv.core import learned, registry, selection
from d2lconv.core.data import detached
from d2lconv.core.learned import LearnedKernel
from d2lconv.core.places import window_places
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.figures.canvas import BLACK, BLUE, COLOURS, LARGE, ORANGE, SMALL, WHITE, place

MARKERS = "osD^vP"


def losses(runs: Mapping[str, Any] | Iterable[LearnedKernel], *, ax: Axes | None = None) -> Figure:
    """Draw the losses of several runs, epoch by epoch, each to be seen also where they coincide.

    Args:
        runs: What ``dc.learn_kernel`` gave, once for each run; or a dictionary of such, or of lists
            of losses, by name. At most 6. Without names they are called by their frameworks.
        ax: The axes to draw on; None makes a figure.

    Returns:
        The figure.

    Raises:
        ArgumentError: There are no runs, more than 6, or one has no finite losses.

    Example:
        >>> import d2lconv as dc
        >>> X = dc.edge_image()
        >>> run = dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2))
        >>> dc.figures.losses([run]).axes[0].get_ylabel()
        'loss (before the update)'
    """
    curves = _curves(runs)
    fig, ax = place(ax, 6, 4)
    draw(ax, curves, "loss (before the update)")
    if min(map(min, curves.values())) > 0:
        ax.set_yscale("log")
    return fig


def draw(ax: Axes, curves: Mapping[str, Sequence[float]], what: str) -> None:
    """Draw curves over epochs, each to be seen also where they coincide.

    Args:
        ax: The axes.
        curves: At most 6, by name.
        what: What they are of.
    """
    for number, (name, values) in enumerate(curves.items()):
        # Later ones lie on top of earlier ones, and are smaller, so that all of them are seen.
        left = len(curves) - number
        ax.plot(
            range(1, len(values) + 1),
            values,
            label=name,
            color=COLOURS[number],
            linewidth=1.2 + 2.6 * (left - 1),
            marker=MARKERS[number],
            markersize=4 + 3.5 * (left - 1),
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=2 + number,
        )
    ax.set_xlabel("epoch", fontsize=LARGE)
    ax.set_ylabel(what, fontsize=LARGE)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(labelsize=SMALL)
    ax.grid(color="0.5", alpha=0.3)
    ax.legend(fontsize=SMALL, handlelength=4, labelspacing=1)


def _curves(runs: Any) -> dict[str, list[float]]:
    if isinstance(runs, LearnedKernel):
        runs = [runs]
    if not isinstance(runs, Mapping):
        found: dict[str, Any] = {}
        for run in runs:
            if not isinstance(run, LearnedKernel):
                raise ArgumentError(
                    f"a run is a {type(run).__name__}; it must be what dc.learn_kernel gives, or "
                    "stand in a dictionary of lists of losses."
                )
            name = registry.manifests()[run.backend][0].framework
            found[name if name not in found else f"{name}, run {len(found) + 1}"] = run
        runs = found
    if not 1 <= len(runs) <= len(MARKERS):
        raise ArgumentError(f"there are {len(runs)} runs; there must be 1 to {len(MARKERS)}.")
    curves = {
        str(name): [float(loss) for loss in getattr(run, "losses", run)]
        for name, run in runs.items()
    }
    for name, values in curves.items():
        if not values or not all(map(isfinite, values)):
            raise ArgumentError(f"the run {name!r} has no losses, or some that are not finite.")
    return curves


def error_surface(
    X: Any,
    Y: Any,
    *,
    lr: float = 3e-2,
    epochs: int = 10,
    init: Any = None,
    seed: int = 0,
    ax: Axes | None = None,
) -> Figure:
    """Draw the loss over the two elements of a kernel, and the way that learning takes down it.

    Args:
        X: The image, shape (h, w).
        Y: What the kernel should make of it, one smaller than X in one direction, so that the
            kernel has two elements.
        lr: The learning rate.
        epochs: The number of steps.
        init: The kernel to start from; None draws it.
        seed: The seed of the kernel that is drawn.
        ax: The axes to draw on; None makes a figure.

    Returns:
        The figure. Learning is done by the backend in force, one epoch at a time.

    Raises:
        ShapeError: The kernel that makes Y of X does not have two elements.
        ArgumentError: lr, epochs or seed makes no sense.
        Diverged: lr is too large for this image.

    Source:
        Dive into Deep Learning, section 7.2.4, for the problem; on the lesson's data the surface
        is a paraboloid with the axes (1, 1) and (1, -1).

    Example:
        >>> import d2lconv as dc
        >>> X = dc.edge_image()
        >>> figure = dc.figures.error_surface(X, dc.corr2d(X, [[1, -1]]))
        >>> figure.axes[0].get_xlabel()
        'K[0, 0]'
    """
    image, target = detached(X, "X"), detached(Y, "Y")
    if image.ndim != 2 or target.ndim != 2:
        raise ShapeError(f"X and Y have the shapes {image.shape} and {target.shape}; both must be "
                         "matrices.")  # fmt: skip
    size = (image.shape[0] - target.shape[0] + 1, image.shape[1] - target.shape[1] + 1)
    if sorted(size) != [1, 2]:
        raise ShapeError(
            f"X has the shape {image.shape} and Y {target.shape}, so the kernel has the size "
            f"{size}; it must be (1, 2) or (2, 1), for a surface over two elements."
        )
    backend = selection.choose(X=X, Y=Y, init=init)
    run = learned.learn_kernel(backend, X, Y, size, lr=lr, epochs=epochs, init=init, seed=seed)
    path = [detached(run.initial)]
    for _ in range(epochs):
        step = learned.learn_kernel(backend, X, Y, size, lr=lr, epochs=1, init=path[-1])
        path.append(detached(step.kernel))
    way = np.array([K.reshape(-1) for K in path], np.float64)

    A = image.astype(np.float64).reshape(-1)[window_places(image.shape, size)]
    y = target.astype(np.float64).reshape(-1)
    best = np.linalg.lstsq(A, y, rcond=None)[0]
    reach = 1.3 * max(float(np.abs(way - best).max()), 0.5)
    k0, k1 = (np.linspace(c - reach, c + reach, 121) for c in best)
    grid = np.stack(np.meshgrid(k0, k1), axis=-1)
    loss = ((grid @ A.T - y) ** 2).sum(-1)

    fig, ax = place(ax, 6.4, 5)
    # Evenly spaced in the root of the loss, which grows evenly with the distance from the best.
    least = max(float(loss.min()), 0.0)
    least = 0.0 if least < 1e-9 * float(loss.max()) else least  # what rounding left of nothing
    levels = least + np.linspace(0, float(loss.max() - least) ** 0.5, 13) ** 2
    filled = ax.contourf(k0, k1, loss, levels=levels, cmap="cividis")
    ax.plot(*way.T, color=WHITE, linewidth=4, zorder=3)
    ax.plot(*way.T, color=ORANGE, linewidth=2, marker="o", markersize=6, markeredgecolor=WHITE,
            label="learning", zorder=4)  # fmt: skip
    ax.plot(*way[0], marker="s", markersize=9, color=BLUE, markeredgecolor=WHITE,
            linestyle="none", label="start", zorder=5)  # fmt: skip
    ax.plot(*best, marker="*", markersize=16, color=WHITE, markeredgecolor=BLACK,
            linestyle="none", label="least loss", zorder=5)  # fmt: skip
    ax.set_aspect("equal")
    ax.set_xlabel("K[0, 0]", fontsize=LARGE)
    ax.set_ylabel("K[0, 1]" if size == (1, 2) else "K[1, 0]", fontsize=LARGE)
    ax.tick_params(labelsize=SMALL)
    ax.legend(fontsize=SMALL, facecolor="0.85", labelcolor=BLACK, framealpha=1)
    bar = fig.colorbar(filled, ax=ax, format="%.3g")
    bar.set_label("loss", fontsize=LARGE)
    bar.ax.tick_params(labelsize=SMALL)
    return fig
