"""A bank of filters, and what each makes of a photograph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from d2lconv import images, kernels
from d2lconv.core import checks, operations
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.registry import load
from d2lconv.errors import ArgumentError
from d2lconv.figures.canvas import LARGE, SIGNED, figure
from d2lconv.figures.heat import keeps_brightness

MOST = 12


def filter_bank(
    X: Any = "brick", bank: Sequence[Any] | None = None, *, titles: Sequence[str] | None = None
) -> Figure:
    """Draw a photograph, and below it each filter with what it makes of the photograph.

    Args:
        X: An image (h, w), or the name of a photograph, as in ``dc.photograph``.
        bank: The kernels, at most 12, none larger than the image; None takes six Gabor filters,
            ``dc.kernels.gabor_bank(6)``.
        titles: What stands above each filter; None numbers them, or tells the Gabor filters'
            angles.

    Returns:
        The figure. 0 is black in every panel. What keeps the image's brightness, as a blur or a
        sharpening does, is grey as the image is; in filters and in other outputs, positive is
        orange and negative blue.

    Raises:
        ArgumentError: There is no such photograph, there are no kernels or too many, or there are
            not as many titles.
        ShapeError: X or a kernel is not a matrix, or a kernel is larger than X.

    Source:
        Dive into Deep Learning, section 7.2.6; Field, "Relations between the statistics of natural
        images and the response properties of cortical cells" (1987).

    Example:
        >>> import d2lconv as dc
        >>> figure = dc.figures.filter_bank("coins", [dc.kernels.sobel(0), dc.kernels.sobel(1)])
        >>> len(figure.axes)
        5
    """
    image = detached(images.photograph(X) if isinstance(X, str) else X, "X")
    checks.matrix(image.shape, "X")
    if bank is None:
        bank = [detached(K) for K in kernels.gabor_bank(6)]
        titles = titles or [f"{30 * n}°" for n in range(6)]
    if not 1 <= len(bank) <= MOST:
        raise ArgumentError(f"bank has {len(bank)} kernels; it must have 1 to {MOST}.")
    titles = [f"kernel {n + 1}" for n in range(len(bank))] if titles is None else list(titles)
    if len(titles) != len(bank):
        raise ArgumentError(f"there are {len(titles)} titles for {len(bank)} kernels.")
    filters = [detached(K, f"bank[{n}]") for n, K in enumerate(bank)]
    for n, K in enumerate(filters):
        checks.matrix(K.shape, f"bank[{n}]")
    answers: list[FloatArray] = [operations.corr2d(load("numpy"), image, K) for K in filters]

    columns = len(bank)
    fig = figure(max(1.65 * columns, 3.2), 6.2)
    grid = fig.add_gridspec(3, columns, height_ratios=[1.8, 0.8, 1.3])
    top = fig.add_subplot(grid[0, :])
    top.imshow(image, cmap="gray", interpolation="none")
    top.set_title("the image", fontsize=LARGE)
    signed = [Y for K, Y in zip(filters, answers, strict=True) if not keeps_brightness(K)]
    most = max((float(np.abs(Y).max()) for Y in signed), default=0.0) or 1.0
    low, high = min(float(image.min()), 0.0), float(image.max())
    for n, (title, K, answer) in enumerate(zip(titles, filters, answers, strict=True)):
        own = float(np.abs(K).max()) or 1.0
        ax = fig.add_subplot(grid[1, n])
        ax.imshow(K, cmap=SIGNED, vmin=-own, vmax=own, interpolation="none")
        ax.set_title(title, fontsize=LARGE)
        ax = fig.add_subplot(grid[2, n])
        if keeps_brightness(K):
            ax.imshow(answer, cmap="gray", vmin=low, vmax=high, interpolation="none")
        else:
            ax.imshow(answer, cmap=SIGNED, vmin=-most, vmax=most, interpolation="none")
    for ax in fig.axes:
        ax.set_xticks([])
        ax.set_yticks([])
    return fig
