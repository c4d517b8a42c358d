"""Matrices as annotated heat maps: input, kernel and output, step by step, and as one matrix."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lconv.core import checks, operations, places
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.registry import load
from d2lconv.errors import ArgumentError
from d2lconv.figures.canvas import LARGE, ORANGE, SIGNED, SMALL, WHITE, figure, ink, place

ANNOTATED = 400  # the elements of a matrix that still get their numbers
STEPS = 25  # the steps that still fit on one page
HIDDEN = (0.5, 0.5, 0.5, 0.14)  # a light grey by day, and a dark one by night
TERMS = 12  # the terms of a sum that are still written out


def heat_map(matrix: Any, *, title: str = "", ax: Axes | None = None) -> Figure:
    """Draw a matrix, its numbers on its colours.

    0 is black, whatever else there is. Without negative numbers it is grey, up to white for the
    largest, as an image is. With them, the positive are orange and the negative blue.

    Args:
        matrix: A matrix (h, w). Up to 400 elements get their numbers.
        title: What stands above it.
        ax: The axes to draw on; None makes a figure.

    Returns:
        The figure.

    Raises:
        ShapeError: It is not a matrix, or is empty.

    Example:
        >>> import d2lconv as dc
        >>> dc.figures.heat_map(dc.edge_image(), title="X")
        <Figure size 480x395 with 1 Axes>
    """
    values = _matrix(matrix, "matrix")
    h, w = values.shape
    scale = min(0.6, 8 / max(h, w))
    fig, ax = place(ax, max(1.5, w * scale), max(0.8, h * scale) + 0.35)
    _draw(ax, values, title)
    return fig


def correlation(X: Any, K: Any, **options: Any) -> Figure:
    """Draw an image, a kernel, and what the kernel makes of the image, side by side.

    Args:
        X: The image, shape (h, w), or (c, h, w) with channels.
        K: The kernel, shape (kh, kw), not larger than the image, or (c, kh, kw).
        options: ``stride`` and ``dilation``, as :func:`d2lconv.corr2d` takes them.

    Returns:
        The figure. Each channel has a row, and beside several of them stands their sum.

    Raises:
        ShapeError: X and K are not two matrices, nor two blocks with as many channels, or K is
            larger than X.

    Example:
        >>> import d2lconv as dc
        >>> figure = dc.figures.correlation(dc.edge_image(), [[1, -1]])
        >>> [ax.get_title() for ax in figure.axes]
        ['X, 6x8', 'K, 1x2', 'Y, 6x7']
    """
    X, K = detached(X, "X"), detached(K, "K")
    if X.ndim != 3 or K.ndim != 3:
        X, K = _matrix(X, "X")[None], _matrix(K, "K")[None]
    Y = _corr2d(X, K, **options)
    rows = [{"X": x, "K": k, "Y": _corr2d(x, k, **options)} for x, k in zip(X, K, strict=True)]
    widths = [max(panel.shape[1], 2) for panel in rows[0].values()]
    if len(rows) > 1:
        widths.append(widths[-1])
    scale = min(0.6, 8.8 / sum(widths))
    height = max(2, X.shape[1])
    fig = figure(sum(widths) * scale + 1.2, len(rows) * (height * scale + 0.6))
    grid = fig.add_gridspec(len(rows), len(widths), width_ratios=widths)
    for c, row in enumerate(rows):
        for n, (sign, (name, panel)) in enumerate(zip(("", "⋆", "="), row.items(), strict=True)):
            ax = fig.add_subplot(grid[c, n])
            like = row["X"] if name == "Y" and keeps_brightness(row["K"]) else None
            name += f"[{c}]" if len(rows) > 1 else f", {panel.shape[0]}x{panel.shape[1]}"
            _draw(ax, panel, name, X.shape[1], like=like)
            ax.set_ylabel(sign, rotation=0, fontsize=24, va="center", ha="right")
    if len(rows) > 1:
        ax = fig.add_subplot(grid[:, -1])
        _draw(ax, Y, f"Y, {Y.shape[0]}x{Y.shape[1]}", X.shape[1])
        ax.set_ylabel("Σ", rotation=0, fontsize=24, va="center", ha="right")
    return fig


def windows(X: Any, K: Any) -> Figure:
    """Draw the kernel's window at each place of the image, with the sum that it makes there.

    Args:
        X: The image, shape (h, w).
        K: The kernel, shape (kh, kw), with at most 25 places in the image.

    Returns:
        The figure: the kernel, and one panel for each output element.

    Raises:
        ShapeError: X or K is not a matrix, or K is larger than X.
        ArgumentError: There are more than 25 places.

    Source:
        Dive into Deep Learning, section 7.2.1, for the lesson's X and K.

    Example:
        >>> import d2lconv as dc
        >>> figure = dc.figures.windows([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
        >>> figure.axes[0].get_xlabel()
        '0·0 + 1·1 + 3·2 + 4·3 = 19'
    """
    X, K = _matrix(X, "X"), _matrix(K, "K")
    Y = _corr2d(X, K)
    if Y.size > STEPS:
        raise ArgumentError(
            f"the kernel has {Y.size} places in the image, more than {STEPS}, the most that can be "
            "read on one page; take a smaller image or a larger kernel."
        )
    kh, kw = K.shape
    spelled = K.size <= TERMS
    wide = max(X.shape[1] * 0.55, 3.2)
    height = X.shape[0] * 0.55 + 0.6 + 0.28 * (-(-K.size // 4) if spelled else 1)
    aside = max(kw * 0.55, 0.8)
    fig = figure(wide * Y.shape[1] + aside + 0.5, height * Y.shape[0])
    grid = fig.add_gridspec(
        *(Y.shape[0], Y.shape[1] + 1), width_ratios=[aside, *[wide] * Y.shape[1]]
    )
    for i, j in np.ndindex(*Y.shape):
        ax = fig.add_subplot(grid[i, j + 1])
        _draw(ax, X, f"Y[{i}, {j}]")
        for colour, width in (
            (WHITE, 7),
            (ORANGE, 4),
        ):  # the white keeps it apart from any colour
            corner = (j - 0.5, i - 0.5)
            outline = Rectangle(
                corner, kw, kh, fill=False, edgecolor=colour, linewidth=width, clip_on=False
            )
            ax.add_patch(outline)
        window = X[i : i + kh, j : j + kw]
        products = [f"{_factor(x)}·{_factor(k)}" for x, k in zip(window.flat, K.flat, strict=True)]
        lines = [" + ".join(products[n : n + 4]) for n in range(0, K.size, 4)]
        total = " +\n".join(lines) if spelled else f"the sum of {K.size} products"
        ax.set_xlabel(f"{total} = {_number(Y[i, j])}", fontsize=SMALL)
    ax = fig.add_subplot(grid[:, 0])
    _draw(ax, K, "K")
    frame = Rectangle(
        (-0.5, -0.5), kw, kh, fill=False, edgecolor=ORANGE, linewidth=4, clip_on=False
    )
    ax.add_patch(frame)
    return fig


def toeplitz(K: Any, input_shape: tuple[int, int], *, ax: Axes | None = None) -> Figure:
    """Draw a kernel as a matrix, with lines between its blocks.

    Args:
        K: The kernel, shape (kh, kw).
        input_shape: The shape (h, w) of the image. Up to 400 elements get their numbers.
        ax: The axes to draw on; None makes a figure.

    Returns:
        The figure.

    Raises:
        ShapeError: K is not a matrix, or is larger than the image.

    Example:
        >>> import d2lconv as dc
        >>> dc.figures.toeplitz([[0, 1], [2, 3]], (3, 3)).axes[0].get_title()
        'K as a matrix 4x9: 2x3 blocks of 2x3'
    """
    kernel = _matrix(K, "K")
    T = _matrix(operations.toeplitz(load("numpy"), kernel, input_shape), "K")
    (h, w), (kh, kw) = checks.pair("input_shape", input_shape), kernel.shape
    H, W = h - kh + 1, w - kw + 1
    scale = min(0.5, 10 / T.shape[1])
    fig, ax = place(ax, max(3.6, T.shape[1] * scale), T.shape[0] * scale + 0.5)
    # Dim what is outside of the kernel, so that its own zeros can be told from the others.
    found = places.kernel_places(kernel.shape, input_shape)
    title = f"K as a matrix {T.shape[0]}x{T.shape[1]}: {H}x{h} blocks of {W}x{w}"
    _draw(ax, T, title, hidden=found == kernel.size)
    for row in range(1, H):
        ax.axhline(row * W - 0.5, color=ORANGE, linewidth=2)
    for column in range(1, h):
        ax.axvline(column * w - 0.5, color=ORANGE, linewidth=2)
    return fig


def keeps_brightness(K: FloatArray) -> bool:
    """Whether a constant image stays as it is: then the output is a picture like the image."""
    return abs(float(K.sum()) - 1) < 1e-3


def _draw(
    ax: Any,
    values: FloatArray,
    title: str,
    rows: int = 0,
    hidden: Any = None,
    like: FloatArray | None = None,
) -> None:
    """A matrix on axes, as high as one with that many rows if it has fewer.

    It is grey if another one is given that it is like: an image that keeps its brightness.
    """
    finite = np.abs(values[np.isfinite(values)] if like is None else like)
    limit = float(finite.max(initial=0)) or 1.0
    signed = bool(((values if like is None else like) < 0).any())
    colours = SIGNED if signed else colormaps["gray"]
    norm = Normalize(-limit if signed else 0, limit, clip=like is not None)
    pixels = colours(norm(values))
    if hidden is not None:
        pixels[hidden] = HIDDEN
    ax.imshow(pixels, interpolation="none", aspect="equal")
    ax.set_title(title, fontsize=LARGE)
    ax.set_xticks([])
    ax.set_yticks([])
    h, w = values.shape
    if h < rows:
        ax.set_anchor("C")
    if values.size > ANNOTATED:
        return
    ax.set_xticks(np.arange(1, w) - 0.5, minor=True)
    ax.set_yticks(np.arange(1, h) - 0.5, minor=True)
    ax.grid(which="minor", color="0.6", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    for (i, j), value in np.ndenumerate(values):
        if hidden is None or not hidden[i, j]:
            ax.text(
                j, i, _number(value), ha="center", va="center", color=ink(pixels[i, j]),
                fontsize=SMALL,
            )  # fmt: skip


def _matrix(data: Any, name: str) -> FloatArray:
    values = detached(data, name)
    checks.matrix(values.shape, name)
    return values


def _corr2d(X: FloatArray, K: FloatArray, **options: Any) -> FloatArray:
    Y: FloatArray = operations.corr2d(load("numpy"), X, K, **options)
    return Y


def _number(value: Any) -> str:
    """A number as short as a cell needs it; a minus sign as long as a plus."""
    text = f"{value:.0f}" if value == np.round(value) and abs(value) < 1e5 else f"{value:.2g}"
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def _factor(value: Any) -> str:
    """A number as a factor, in parentheses if it is negative."""
    text = _number(value)
    return f"({text})" if value < 0 else text
