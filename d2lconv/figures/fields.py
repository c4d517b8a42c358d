"""Receptive fields: which elements of the input one element of the output sees."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lconv import receptive
from d2lconv.figures.canvas import BLUE, LARGE, ORANGE, SMALL, place


def receptive_field(
    layers: Iterable[Any],
    input_shape: tuple[int, int],
    element: tuple[int, int] | None = None,
    *,
    ax: Axes | None = None,
) -> Figure:
    """Draw the input, the elements that one output element can depend on, and their rectangle.

    Args:
        layers: The stack, as in ``dc.receptive_field``.
        input_shape: Height and width of the input.
        element: Row and column of the output element; None is the one in the middle.
        ax: The axes to draw on; None makes a figure.

    Returns:
        The figure. The rectangle is dashed; with padding, it goes beyond the input.

    Raises:
        ArgumentError: There are no layers, or the element is not inside the output.
        ShapeError: A layer's kernel does not fit.

    Source:
        Dive into Deep Learning, section 7.2.6.

    Example:
        >>> import d2lconv as dc
        >>> dc.figures.receptive_field([2, 2], (3, 3)).axes[0].get_title()
        'output (0, 0) sees 9 of 9 elements'
    """
    stack = list(layers)
    if element is None:
        H, W = receptive.receptive_field(stack, input_shape=input_shape).output_shape or (1, 1)
        element = (H // 2, W // 2)
    field = receptive.receptive_field(stack, element, input_shape=input_shape)
    return draw(field, ax=ax)


def draw(field: receptive.ReceptiveField, *, ax: Axes | None = None) -> Figure:
    """Draw a field; an input without end is drawn as far as the field goes."""
    (top, left), (height, width) = field.corner, field.size
    shape = field.input_shape or (max(1, top + height), max(1, left + width))
    seen = np.zeros(shape)
    for place_ in field.elements:
        seen[place_] = 1
    h, w = seen.shape
    edges = (min(0, left), max(w, left + width), min(0, top), max(h, top + height))
    across, down = edges[1] - edges[0], edges[3] - edges[2]
    scale = min(0.5, 8 / max(across, down))
    fig, ax = place(ax, max(3.6, across * scale + 0.4), down * scale + 0.8)
    ax.imshow(
        seen,
        cmap=ListedColormap([to_rgba("0.5", 0.16), to_rgba(BLUE)]),
        vmin=0,
        vmax=1,
        interpolation="none",
    )
    ax.hlines(np.arange(h + 1) - 0.5, -0.5, w - 0.5, color="white", linewidth=1)
    ax.vlines(np.arange(w + 1) - 0.5, -0.5, h - 0.5, color="white", linewidth=1)
    ax.add_patch(Rectangle((-0.5, -0.5), w, h, fill=False, edgecolor="0.4", linewidth=1.5))
    ax.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5), width, height,
            fill=False, edgecolor=ORANGE, linewidth=3, linestyle=(0, (3, 1.5)), zorder=3,
        )
    )  # fmt: skip
    ax.set_xlim(min(edges[0] - 0.8, -1.6), edges[1] - 0.2)
    ax.set_ylim(max(edges[3] - 0.2, h + 0.4), edges[2] - 0.8)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for n in {0, w - 1}:  # at the grid, wherever the rectangle is
        ax.text(n, h - 0.35, str(n), ha="center", va="top", fontsize=SMALL)
    for n in {0, h - 1}:
        ax.text(-0.7, n, str(n), ha="right", va="center", fontsize=SMALL)
    i, j = field.element
    ax.set_title(
        f"output ({i}, {j}) sees {len(field.elements)} of {seen.size} elements"
        if field.input_shape
        else f"output ({i}, {j}) sees {len(field.elements)} elements",
        fontsize=LARGE,
    )
    ax.set_xlabel(f"size {height}x{width}, jump {field.jump[0]}x{field.jump[1]}", fontsize=SMALL)
    return fig
