"""Receptive fields: what a stack of layers lets one output element see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from d2lconv.core import checks
from d2lconv.core.data import detached
from d2lconv.core.options import Pair, sides, steps
from d2lconv.core.shown import Shown
from d2lconv.errors import ArgumentError, ShapeError


@dataclass(frozen=True)
class Window:
    """One layer of a stack: a window that slides over what the layer below gives.

    Attributes:
        kernel_size: Height and width of the kernel, or one number for both.
        stride: By how many elements the window moves down and right, or one number for both.
        padding: How many zeros are put around the layer's input: one number, or one for above and
            below and one for left and right, or ((above, below), (left, right)).
        dilation: How many elements apart the kernel's elements lie, down and right.

    Example:
        >>> import d2lconv as dc
        >>> dc.Window(3, stride=2, padding=1)
        Window(kernel_size=(3, 3), stride=(2, 2), padding=((1, 1), (1, 1)), dilation=(1, 1))
    """

    kernel_size: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1

    def __post_init__(self) -> None:
        size = steps("kernel_size", self.kernel_size, ShapeError)
        object.__setattr__(self, "kernel_size", size)
        for name in ("stride", "dilation"):
            object.__setattr__(self, name, steps(name, getattr(self, name)))
        object.__setattr__(self, "padding", sides(self.padding))

    @property
    def span(self) -> Pair:
        """How many elements the kernel spans, gaps included, down and right."""
        (kh, kw), (dh, dw) = self.kernel_size, self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1


@dataclass(frozen=True)
class ReceptiveField(Shown):
    """What one output element of a stack of layers can depend on; a notebook shows its picture.

    Attributes:
        size: Height and width of the smallest rectangle that holds the field of an element far from
            every border. It may be larger than the input.
        jump: How far the field moves, down and right, from one output element to the next.
        start: Row and column of the first corner of the field of the output element (0, 0), padding
            included; so it may be negative.
        element: The output element whose field this is.
        rows: The rows of the input that the element can depend on, in order.
        columns: The columns.
        input_shape: The shape of the input, None if it was not given.
        output_shape: The shape of the output, None if that of the input was not given.
    """

    size: Pair
    jump: Pair
    start: Pair
    element: Pair
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    input_shape: Pair | None
    output_shape: Pair | None

    def __repr__(self) -> str:
        (height, width), (down, right) = self.size, self.jump
        return (
            f"<ReceptiveField of output {self.element}: {len(self.rows) * len(self.columns):,} "
            f"elements, rows {_ranges(self.rows)}, columns {_ranges(self.columns)}; "
            f"size {height}x{width}, jump {down}x{right}, start {self.start}>"
        )

    @property
    def elements(self) -> frozenset[Pair]:
        """The input elements (row, column) that the output element can depend on, and no others."""
        return frozenset(product(self.rows, self.columns))

    @property
    def corner(self) -> Pair:
        """The first corner of the element's field, padding included: start + element * jump."""
        (i, j), (down, right) = self.element, self.jump
        return self.start[0] + i * down, self.start[1] + j * right


def receptive_field(
    layers: Iterable[Any], element: Pair | None = None, *, input_shape: Pair | None = None
) -> ReceptiveField:
    """Tell which elements of the input one element of the output of a stack can depend on.

    An element of a layer's output depends on its window of the layer's input; go down the stack,
    layer by layer, and the window of the windows is the receptive field. Zeros that pad a layer
    depend on nothing. Rows and columns are independent of each other, so the field is a set of
    rows times a set of columns; with strides and dilations it can have gaps.

    With kernel sizes k, strides s, paddings p (above) and dilations d of layers 1 to L, in each
    direction: jump = s1 s2 ... sL, size = 1 + sum of (k - 1) d s1 ... s(l-1), and start = minus
    the sum of p s1 ... s(l-1).

    Args:
        layers: The stack, the first layer first. Each is a :class:`Window`, a mapping with its
            attributes, a kernel size (a number or a pair), or a kernel (a matrix), of which only
            the shape counts.
        element: Row and column of the output element; None is (0, 0).
        input_shape: Height and width of the input. With it, the field ends where the input ends,
            and the element must be inside the output. None is an input without end, down and right.

    Returns:
        A :class:`ReceptiveField`: size, jump, start, and the exact set of input elements.

    Raises:
        ArgumentError: There are no layers, one of them is none, or the element is not inside the
            output.
        ShapeError: A layer's kernel does not fit into what the layer below gives.

    Source:
        Dive into Deep Learning, section 7.2.6; Araujo, Norris and Sim, "Computing Receptive Fields
        of Convolutional Neural Networks" (Distill, 2019), for the closed formulas.

    Example:
        >>> import d2lconv as dc
        >>> field = dc.receptive_field([2, 2], input_shape=(3, 3))
        >>> field.size, field.jump, field.start, len(field.elements)
        ((3, 3), (1, 1), (0, 0), 9)
        >>> dc.receptive_field([dc.Window(3, padding=1), dc.Window((1, 2), dilation=4)]).columns
        (0, 1, 3, 4, 5)
    """
    stack = _stack(layers)
    shapes = (
        None if input_shape is None else _shapes(stack, checks.pair("input_shape", input_shape))
    )
    place = _element(element, None if shapes is None else shapes[-1])
    size, jump, start = [1, 1], [1, 1], [0, 0]
    seen = [{place[0]}, {place[1]}]
    for axis in (0, 1):
        for layer in stack:
            size[axis] += (layer.span[axis] - 1) * jump[axis]
            start[axis] -= layer.padding[axis][0] * jump[axis]
            jump[axis] *= layer.stride[axis]
        for depth in reversed(range(len(stack))):
            end = None if shapes is None else shapes[depth][axis]
            seen[axis] = _below(stack[depth], axis, seen[axis], end)
    return ReceptiveField(
        size=(size[0], size[1]),
        jump=(jump[0], jump[1]),
        start=(start[0], start[1]),
        element=place,
        rows=tuple(sorted(seen[0])),
        columns=tuple(sorted(seen[1])),
        input_shape=None if shapes is None else shapes[0],
        output_shape=None if shapes is None else shapes[-1],
    )


def _ranges(numbers: tuple[int, ...]) -> str:
    """Numbers as few words: runs as their ends, and the rest counted.

    Example:
        >>> _ranges((0, 1, 3, 4, 5)), _ranges((7,)), _ranges(())
        ('0-1, 3-5', '7', 'none')
    """
    starts = [n for n in numbers if n - 1 not in set(numbers)]
    ends = [n for n in numbers if n + 1 not in set(numbers)]
    runs = [f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True)]
    if len(runs) > 4:
        return f"{len(numbers)} of {numbers[0]}-{numbers[-1]}"
    return ", ".join(runs) or "none"


def _below(layer: Window, axis: int, above: set[int], end: int | None) -> set[int]:
    """The elements of a layer's input that these elements of its output depend on, in one axis."""
    stride, dilation = layer.stride[axis], layer.dilation[axis]
    first = layer.padding[axis][0]
    found = {
        place * stride + a * dilation - first
        for place in above
        for a in range(layer.kernel_size[axis])
    }
    return {n for n in found if n >= 0 and (end is None or n < end)}


def _stack(layers: Any) -> list[Window]:
    unordered = isinstance(layers, (str, bytes, Mapping, Window))
    if unordered or not isinstance(layers, Iterable) or getattr(layers, "shape", None) == ():
        raise ArgumentError(
            f"layers is {layers!r}; it must be a list of layers, such as [2, 2] or "
            "[dc.Window(3, stride=2)]."
        )
    stack = [_layer(layer, f"layers[{number}]") for number, layer in enumerate(layers)]
    if not stack:
        raise ArgumentError("layers is empty; a receptive field needs at least one layer.")
    return stack


def _layer(layer: Any, name: str) -> Window:
    if isinstance(layer, Window):
        return layer
    if isinstance(layer, Mapping):
        try:
            return Window(**layer)
        except TypeError:
            raise ArgumentError(
                f"{name} is {dict(layer)!r}; its keys must be kernel_size, and if needed stride, "
                "padding and dilation."
            ) from None
    rows = isinstance(layer, (list, tuple)) and any(hasattr(row, "__len__") for row in layer)
    if not rows and len(getattr(layer, "shape", ())) < 2:
        return Window(layer)
    kernel = detached(layer, name)
    checks.matrix(kernel.shape, name)
    return Window(kernel.shape)


def _shapes(stack: list[Window], shape: Pair) -> list[Pair]:
    """The shapes of the input and of every layer's output."""
    shapes = [shape]
    for number, layer in enumerate(stack):
        padded = [n + sum(sides) for n, sides in zip(shapes[-1], layer.padding, strict=True)]
        places = [n - span for n, span in zip(padded, layer.span, strict=True)]
        if min(places) < 0:
            raise ShapeError(
                f"layers[{number}] spans {layer.span} elements, and its input, padding included, "
                f"has the shape {tuple(padded)}; it must fit inside. Use a smaller kernel, more "
                "padding or a larger input."
            )
        (h, w), (sh, sw) = places, layer.stride
        shapes.append((h // sh + 1, w // sw + 1))
    return shapes


def _element(element: Any, output: Pair | None) -> Pair:
    if element is None:
        return 0, 0
    try:
        i, j = (checks.index(n) for n in element if not isinstance(n, bool))
    except (TypeError, ValueError):
        i = j = -1
    inside = min(i, j) >= 0 and (output is None or (i < output[0] and j < output[1]))
    if not inside:
        rows, columns = ("", "") if output is None else (f" < {output[0]}", f" < {output[1]}")
        raise ArgumentError(
            f"element is {element!r}; it must be a pair (row, column) of integers inside the "
            f"output: 0 <= row{rows} and 0 <= column{columns}."
        )
    return i, j
