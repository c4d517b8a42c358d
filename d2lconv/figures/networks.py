"""LeNet: its shapes, drawn to scale, and what its layers make of one digit."""

from itertools import accumulate
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from d2lconv.core import lenet as described
from d2lconv.core import ownership, registry
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.lenet import IMAGE, Layer
from d2lconv.errors import ShapeError
from d2lconv.figures.canvas import BLUE, LARGE, ORANGE, SIGNED, SMALL, figure
from d2lconv.training import owner

FOLD: Final = 28  # the elements of a vector that stand above each other
STEP: Final = 2.2  # how far a sheet is moved against the one behind it, in pixels
ROOM: Final = 36.0  # what a label needs, in pixels
BESIDE: Final = 8  # maps in a row


def lenet() -> Figure:
    """Draw the shapes of LeNet to scale: every number of every layer has the same area.

    A channel is a sheet. Longer vectors than 28 are folded into columns of 28. Activations, which
    leave the shape as it is, are not drawn.

    Returns:
        The figure.

    Source:
        Dive into Deep Learning, section 7.6.1.

    Example:
        >>> import d2lconv as dc
        >>> dc.figures.lenet().axes[0].get_title()
        'LeNet: 61,706 parameters'
    """
    made = described.lenet()
    shown = [Layer("image", "image", IMAGE), *(one for one in made.layers if _reshapes(one))]
    first = 1 + [one.kind for one in made.layers if _reshapes(one)].index("flatten")
    rows = shown[:first], shown[first:]
    fig = figure(7.2, 5.6)
    ax = fig.add_subplot()
    ends = [_row(ax, row, -95.0 * number) for number, row in enumerate(rows)]
    ax.set_xlim(0, max(ends))
    ax.set_ylim(-95 - FOLD - 32, 26)
    ax.set_aspect("equal")
    ax.axis("off")
    ax.set_title(f"LeNet: {made.size:,} parameters", fontsize=LARGE)
    return fig


def feature_maps(net: Any, image: Any) -> Figure:
    """Draw what the layers of a network make of one image, and the ten probabilities.

    The channels of a layer have one scale of colours, from 0, which is black, to its largest
    number; or, if some are negative, to the same on either side.

    Args:
        net: A network that ``dc.LeNet`` made, in any framework.
        image: Shape (28, 28) or (1, 28, 28), from 0 to 1.

    Returns:
        The figure: the image, the outputs of the activations and poolings, and the probabilities.

    Raises:
        ArgumentError: net is something else.
        ShapeError: The image has another shape.

    Example:
        >>> import d2lconv as dc
        >>> image = dc.digits()[0][0]
        >>> len(dc.figures.feature_maps(dc.LeNet(), image).axes)  # 1 + 6 + 6 + 16 + 16 + 1
        46
    """
    native = owner(net)
    pixels = np.asarray(detached(image, "image"), np.float32)
    if pixels.shape not in (IMAGE, IMAGE[1:]):
        raise ShapeError(f"image has the shape {pixels.shape}; it must be (28, 28) or (1, 28, 28).")
    tensors = registry.load(ownership.backend_of(net) or "numpy").tensors
    outputs = native.outputs(net, tensors.tensor(pixels.reshape(1, *IMAGE)))
    logits = tensors.to_numpy(outputs[-1])[0].astype(np.float64)
    groups = [
        (_heading(net.made.layers, number), tensors.to_numpy(outputs[number])[0])
        for number, one in enumerate(net.made.layers)
        if len(one.output) == 3 and one.kind != "conv"
    ]
    rows = [-(-len(maps) // BESIDE) for _, maps in groups]
    fig = figure(7.2, 2.2 + 0.86 * sum(rows) + 0.3 * len(rows))
    parts: Any = fig.subfigures(
        1 + len(groups), 1, height_ratios=[2.2, *(0.86 * r + 0.3 for r in rows)]
    )
    top, *panels = parts
    left, right = top.subplots(1, 2, width_ratios=[1, 2.2])
    _map(left, pixels.reshape(IMAGE[1:]), 1.0)
    left.set_title("image", fontsize=SMALL)
    _probabilities(right, logits)
    for panel, (heading, maps), height in zip(panels, groups, rows, strict=True):
        panel.suptitle(heading, fontsize=SMALL)
        axes = panel.subplots(height, BESIDE, squeeze=False).ravel()
        scale = float(np.abs(maps).max()) * (-1 if maps.min() < 0 else 1)
        for ax, one in zip(axes, maps, strict=False):
            _map(ax, one, scale)
        for ax in axes[len(maps) :]:
            ax.remove()
    return fig


def _reshapes(layer: Layer) -> bool:
    return layer.kind not in described.ACTIVATIONS


def _row(ax: Axes, row: list[Layer], top: float) -> float:
    """Draw layers beside each other, and give where the last one ends."""
    widths = [_size(one)[0] + (one.output[0] - 1) * STEP * _stacked(one) for one in row]
    taken = [max(width, ROOM) + 4 for width in widths]
    for one, start, width, room in zip(row, accumulate([0.0, *taken]), widths, taken, strict=False):
        left, middle = start + (room - width) / 2, start + room / 2
        _layer(ax, one, left, top)
        ax.text(middle, top + 5, _operation(one), ha="center", va="bottom", fontsize=SMALL)
        below = "×".join(map(str, one.output))
        below += f"\n{one.size:,}\nparameters" if one.size else ""
        ax.text(middle, top - _lowest(row) - 3, below, ha="center", va="top", fontsize=SMALL)
    return sum(taken)


def _layer(ax: Axes, one: Layer, left: float, top: float) -> None:
    width, height = _size(one)
    for number in range(one.output[0] if _stacked(one) else 1):
        shift = number * STEP
        place = (left + shift, top - height - shift)
        colour = BLUE if one.size else "0.6"
        ax.add_patch(
            Rectangle(
                place,
                width,
                height,
                facecolor=colour,
                edgecolor="white",
                linewidth=0.8 * _stacked(one),
            )
        )


def _lowest(row: list[Layer]) -> float:
    """How far the deepest stack of a row goes down."""
    return max(_size(one)[1] + (one.output[0] - 1) * STEP * _stacked(one) for one in row)


def _stacked(one: Layer) -> bool:
    return len(one.output) == 3


def _size(one: Layer) -> tuple[float, float]:
    """Width and height of a sheet, or of a vector in columns, in pixels."""
    if _stacked(one):
        return float(one.output[2]), float(one.output[1])
    (length,) = one.output
    return max(1.0, length / FOLD), float(min(length, FOLD))


def _operation(one: Layer) -> str:
    """What makes it, in a few words."""
    if one.kind == "conv":
        kernel = "×".join(map(str, one.shapes["weight"][2:]))
        return f"{kernel}\npadding {one.padding}" if one.padding else kernel
    return {"avg": "pool\n2×2", "max": "pool\n2×2"}.get(one.kind, one.kind)


def _heading(layers: tuple[Layer, ...], number: int) -> str:
    one = layers[number]
    channels, height, width = one.output
    before = layers[number - 1]
    name = f"{before.name}, {one.kind}" if before.kind == "conv" else one.name
    return f"{name}: {channels} of {height}×{width}"


def _map(ax: Axes, values: FloatArray, scale: float) -> None:
    """A map with that largest number; with it on either side of 0 if it is negative."""
    colours: Any = SIGNED if scale < 0 else "gray"
    limit = abs(scale) or 1.0
    ax.imshow(values, cmap=colours, vmin=-limit if scale < 0 else 0, vmax=limit,
              interpolation="none")  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])


def _probabilities(ax: Axes, logits: Any) -> None:
    """The softmax of the outputs, the largest in orange."""
    powers = np.exp(logits - logits.max())
    shares = powers / powers.sum()
    colours = [ORANGE if share == shares.max() else BLUE for share in shares]
    ax.bar(range(len(shares)), shares, color=colours)
    ax.set_xticks(range(len(shares)))
    ax.set_ylim(0, 1)
    ax.tick_params(labelsize=SMALL)
    ax.set_title("probabilities", fontsize=SMALL)
