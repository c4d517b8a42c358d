"""The shapes of a cross-correlation: all rules, and all errors, in one place.

A call says with the ranks of its arguments what it means:

    X               K                        result
    (h, w)          (kh, kw)                 (H, W)
    (c, h, w)       (c, kh, kw)              (H, W)          summed over the channels
    (c, h, w)       (o, c/groups, kh, kw)    (o, H, W)
    (n, c, h, w)    (o, c/groups, kh, kw)    (n, o, H, W)

Backends see the last form alone, as a :class:`Geometry`. The size of the output is
``H = (h + top + bottom - (kh - 1) * dilation - 1) // stride + 1`` (Dive into Deep Learning,
sections 7.3.1 and 7.3.2).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from d2lconv.core import checks
from d2lconv.core.options import Pair, Sides, settings, steps
from d2lconv.errors import ArgumentError, ShapeError

Shape = tuple[Any, ...]  # of integers, and of None where a size is not known while tracing

FORMS = (
    "allowed are (h, w) with (kh, kw), (c, h, w) with (c, kh, kw), and (c, h, w) or (n, c, h, w) "
    "with (o, c/groups, kh, kw)"
)


LONG = 2**15  # a padding or stride of less needs no look at whether there is room for it


@dataclass(frozen=True)
class Geometry:
    """One cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw).

    Attributes:
        image: The shape (n, c, h, w) of the images, without padding. n is None if it is not known
            while a function is traced.
        kernel: The shape (o, c/groups, kh, kw) of the kernels.
        stride: By how many elements the window moves, down and right.
        padding: How many zeros lie around: ((top, bottom), (left, right)).
        dilation: How far apart the elements of a kernel lie, down and right.
        groups: Into how many groups the channels are divided, of input and output alike.
        output: The height and width (H, W) of the output.
    """

    image: Shape
    kernel: tuple[int, int, int, int]
    stride: Pair
    padding: Sides
    dilation: Pair
    groups: int
    output: Pair

    @cached_property
    def padded(self) -> Pair:
        """Height and width of the image with its padding."""
        (top, bottom), (left, right) = self.padding
        return self.image[2] + top + bottom, self.image[3] + left + right

    @cached_property
    def shape(self) -> Shape:
        """The shape (n, o, H, W) of the output."""
        return self.image[0], self.kernel[0], *self.output

    @cached_property
    def in_groups(self) -> tuple[int, int]:
        """How many channels and how many outputs are in each group."""
        return self.kernel[1], self.kernel[0] // self.groups

    @cached_property
    def products(self) -> int:
        """How many products are added up in an element of the output."""
        _, channels, kh, kw = self.kernel
        return channels * kh * kw

    @cached_property
    def is_simple(self) -> bool:
        """Whether it is section 7.2's form: one channel, nothing but a window that slides."""
        one = self.image[:2] == (1, 1) and self.kernel[0] == 1
        return one and self.stride == self.dilation == (1, 1) and self.padded == self.image[2:]

    @cached_property
    def is_pointwise(self) -> bool:
        """Whether it is a matrix product at each pixel: a kernel of 1x1 that slides, no more."""
        return self.kernel[2:] == self.stride == (1, 1) and self.padded == self.image[2:]

    @cached_property
    def rows(self) -> list[slice]:
        """For each row of the kernel, the rows of the padded image that it meets."""
        return self._met(0)

    @cached_property
    def columns(self) -> list[slice]:
        """For each column of the kernel, the columns of the padded image that it meets."""
        return self._met(1)

    def _met(self, axis: int) -> list[slice]:
        step, far = self.stride[axis], self.dilation[axis]
        span = (self.output[axis] - 1) * step + 1
        return [slice(a * far, a * far + span, step) for a in range(self.kernel[2 + axis])]

    def taps(self) -> Iterator[tuple[int, int, slice, slice]]:
        """The kernel's elements in row-major order: a, b, and the rows and columns they meet.

        Element (a, b) of the kernel meets ``image[rows, columns]`` of the padded image, one element
        for each element of the output.
        """
        for a, rows in enumerate(self.rows):
            for b, columns in enumerate(self.columns):
                yield a, b, rows, columns


@dataclass(frozen=True)
class Form:
    """A call's ranks: the shapes that its arguments take as (n, c, h, w), and that of the result.

    A shape that is None stays as it is.
    """

    geometry: Geometry
    image: Shape | None
    kernel: Shape | None
    result: Shape | None


def form(
    image: Shape,
    kernel: Shape,
    stride: Any = (1, 1),
    padding: Any = ((0, 0), (0, 0)),
    dilation: Any = (1, 1),
    groups: int = 1,
) -> Form:
    """What a call with arguments of these shapes means.

    Args:
        image: The shape of X, of two, three or four dimensions.
        kernel: The shape of K.
        stride, padding, dilation, groups: As :func:`~d2lconv.core.options.settings` gives them.

    Raises:
        ShapeError: The shapes do not fit each other.

    Example:
        >>> form((3, 8, 8), (6, 3, 5, 5), padding=((2, 2), (2, 2))).geometry.shape
        (1, 6, 8, 8)
    """
    image, kernel = tuple(image), tuple(kernel)  # a framework's own type prints its name
    if (len(image), len(kernel)) not in ((2, 2), (3, 3), (3, 4), (4, 4)):
        raise ShapeError(
            f"X has the shape {image} and K the shape {kernel}; {FORMS}."
            f"{checks.colours(image, 'X')}"
        )
    for name, shape in (("X", image), ("K", kernel)):
        if None in (shape if name == "K" or len(shape) < 4 else shape[1:]):
            raise ShapeError(
                f"{name} has the shape {shape}; all sizes but the number of images must be known "
                "when the call is traced."
            )
        if 0 in shape:
            raise ShapeError(f"{name} is empty, shape {shape}; every size must be at least 1.")
    n, c, h, w = lifted(image)
    o, per_group, kh, kw = lifted(kernel)
    try:
        checks.channels(c, o, per_group, groups, len(kernel) == 4)
    except ShapeError as error:
        raise ShapeError(f"{error}{checks.colours(image, 'X')}") from None
    if padding == "same":
        padding = tuple(
            same_padding(*sizes) for sizes in zip((h, w), (kh, kw), stride, dilation, strict=True)
        )
    output = output_size((h, w), (kh, kw), stride, padding, dilation)
    _check_room(n, c, (h, w), padding)
    stride, dilation = (_in_reach(given, (h, w), padding) for given in (stride, dilation))
    geometry = Geometry(
        (n, c, h, w), (o, per_group, kh, kw), stride, padding, dilation, groups, output
    )
    given = (len(image), len(kernel))
    results = {(2, 2): output, (3, 3): output, (3, 4): (o, *output)}
    return Form(
        geometry,
        None if len(image) == 4 else (n, c, h, w),
        None if len(kernel) == 4 else (o, per_group, kh, kw),
        results.get(given),
    )


def _check_room(n: Any, c: Any, image: Pair, padding: Sides) -> None:
    """Check that an image with much padding is none that no computer has room for.

    Asked of paddings that are long enough for it, because a compiler writes down what is asked of
    sizes that are symbols. Some frameworks end the process where there is no room.
    """
    if max(map(max, padding)) < LONG:
        return
    padded = [size + sum(sides) for size, sides in zip(image, padding, strict=True)]
    if (n or 1) * c * padded[0] * padded[1] > 2**40:
        raise ShapeError(
            f"padding is {padding}, so that the image would have {padded[0]} rows and {padded[1]} "
            "columns, which have no room in memory. Use less padding."
        )


def _in_reach(given: Pair, image: Pair, padding: Sides) -> Pair:
    """Strides or dilations, those beyond the image made as long as it is: that means the same.

    Frameworks multiply them by sizes, and have no place for the largest.
    """
    return tuple(
        step if step < LONG else min(step, size + sum(sides))
        for step, size, sides in zip(given, image, padding, strict=True)
    )  # type: ignore[return-value]


def lifted(shape: Shape) -> Shape:
    """A shape with ones in front, so that it has four sizes."""
    return (1,) * (4 - len(shape)) + shape


def output_size(
    image: Shape,
    kernel: Shape,
    stride: Pair = (1, 1),
    padding: Sides = ((0, 0), (0, 0)),
    dilation: Pair = (1, 1),
    what: str = "kernel",
) -> Pair:
    """The height and width of the output: in how many places the kernel fits into the image.

    Example:
        >>> output_size((6, 8), (1, 2)), output_size((8, 8), (3, 3), (2, 2), ((1, 1), (1, 1)))
        ((6, 7), (4, 4))
    """
    padded = image[0] + sum(padding[0]), image[1] + sum(padding[1])
    span = (kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1
    if span[0] > padded[0] or span[1] > padded[1]:
        dilated = "" if dilation == (1, 1) else f", which spans {span} with dilation {dilation}"
        with_padding = "" if padded == image else f", which is {padded} with its padding"
        raise ShapeError(
            f"the {what}, shape {kernel}{dilated}, is larger than the image, shape {image}"
            f"{with_padding}; it must fit inside. Use a smaller {what}, or pad the image."
        )
    return (padded[0] - span[0]) // stride[0] + 1, (padded[1] - span[1]) // stride[1] + 1


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> Pair:
    """The padding that makes ceil(size / stride) elements; an odd zero comes after the image."""
    outputs = -(-size // stride)
    zeros = max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size)
    return zeros // 2, zeros - zeros // 2


def pooling(image: Shape, size: Any, stride: Any, padding: Any) -> tuple[Geometry, bool]:
    """The geometry of a pooling window, which every channel has for itself.

    Args:
        image: The shape of X: (h, w), (c, h, w) or (n, c, h, w).
        size: Height and width of the window, or one integer for both.
        stride, padding: As in :func:`~d2lconv.core.options.settings`.

    Raises:
        ShapeError: X has another rank, or the window is larger than X with its padding.
        ArgumentError: An option makes no sense, or a window would lie in the padding alone.
    """
    image = tuple(image)
    if len(image) not in (2, 3, 4):
        raise ShapeError(
            f"X has the shape {image}; it must have two dimensions (h, w), three (c, h, w) or four "
            "(n, c, h, w)."
        )
    sizes = lifted(image)
    kh, kw = steps("size", size, ShapeError)
    stride, padding, dilation, _ = settings(stride, padding)
    channels = sizes[1] or 1
    if padding != "same" and None not in sizes[2:]:
        output_size(sizes[2:], (kh, kw), stride, padding, what="window")
    found = form(sizes, (channels, 1, kh, kw), stride, padding, dilation, channels).geometry
    for axis, name in enumerate(("rows", "columns")):
        (before, _), extent = found.padding[axis], found.image[2 + axis]
        last = (found.output[axis] - 1) * found.stride[axis] - before
        if before >= (kh, kw)[axis] or last >= (extent or 0):
            raise ArgumentError(
                f"padding is {padding!r}, so that a window of {(kh, kw)} would lie in the padding "
                f"alone ({name}); every window must hold an element of X. Use less padding."
            )
    return found, len(image) == 4


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n: the side of a Fourier transform.

    Example:
        >>> [power_of_two(n) for n in (1, 2, 3, 512, 513)]
        [1, 2, 4, 512, 1024]
    """
    return 1 << (n - 1).bit_length()
