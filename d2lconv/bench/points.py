"""What is measured: sizes of images and kernels, and what is done with them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Final

from d2lconv.core.geometry import Geometry, form
from d2lconv.core.options import settings
from d2lconv.errors import ArgumentError, D2LConvError

OPTIONS: Final = {"p": "padding", "s": "stride", "d": "dilation", "g": "groups"}
PLAIN: Final = {"padding": 0, "stride": 1, "dilation": 1, "groups": 1}


@dataclass(frozen=True)
class Point:
    """One size: an image (h, w) and a kernel (kh, kw), or a layer.

    Attributes:
        image: (h, w), or for a layer (n, c, h, w).
        kernel: (kh, kw), or for a layer (o, c/groups, kh, kw).
        padding, stride, dilation, groups: As ``corr2d`` takes them.
    """

    image: tuple[int, ...]
    kernel: tuple[int, ...]
    padding: int = 0
    stride: int = 1
    dilation: int = 1
    groups: int = 1

    def __str__(self) -> str:
        """As on the command line: 6x8-1x2, 28-3 where both are square, 1x3x9x9-4x3x3x3-p1-s2."""
        sizes = [_side(shape) for shape in (self.image, self.kernel)]
        letters = {name: letter for letter, name in OPTIONS.items()}
        marks = [f"{letters[n]}{v}" for n, v in self.options.items() if v != PLAIN[n]]
        return "-".join(sizes + marks)

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of ``corr2d``."""
        return {name: getattr(self, name) for name in PLAIN}

    @cached_property
    def geometry(self) -> Geometry:
        """All that follows from the sizes."""
        return form(self.image, self.kernel, *settings(**self.options)).geometry

    @property
    def is_layer(self) -> bool:
        """Whether it has channels."""
        return len(self.image) == 4

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of the output."""
        shape = self.geometry.shape
        return tuple(n or 1 for n in (shape if self.is_layer else shape[2:]))

    @property
    def windows(self) -> int:
        """The elements of the output: how often the loop of the lesson goes round."""
        return prod(self.output)

    @property
    def multiplications(self) -> int:
        """How many products are added up."""
        return self.windows * self.geometry.products

    @property
    def window_elements(self) -> int:
        """The elements of all windows, which a matrix product has in memory."""
        return self.multiplications // self.geometry.in_groups[1]

    @property
    def is_small(self) -> bool:
        """Whether there are at most 4 million multiplications, so that nothing takes minutes."""
        return self.multiplications <= 4_000_000


def parse(text: str) -> Point:
    """A size as it is written on the command line.

    Example:
        >>> str(parse("6x8-1x2")), parse("28-3").image
        ('6x8-1x2', (28, 28))
        >>> parse("2x32x28x28-64x8x3x3-p1-g4").output
        (2, 64, 28, 28)
    """
    match = re.fullmatch(r"([\dx]+)-([\dx]+)((?:-[psdg]\d+)*)", text)
    try:
        image, kernel = (_sizes(part) for part in (match.groups()[:2] if match else ("", "")))
        marks = match.group(3).split("-")[1:] if match else []
        point = Point(image, kernel, **{OPTIONS[mark[0]]: int(mark[1:]) for mark in marks})
        if point.output and len(image) in (2, 4):
            return point
    except (D2LConvError, ValueError):
        pass
    raise ArgumentError(
        f"the size is {text!r}; write image-kernel, such as 28-3 or 6x8-1x2, the kernel not "
        "larger than the image, and neither empty; or for a layer 1x64x56x56-128x64x3x3-p1-s2, "
        "with -p, -s, -d and -g for padding, stride, dilation and groups."
    )


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(map(int, text.split("x")))
    return sizes * 2 if len(sizes) == 1 else sizes


def _side(shape: tuple[int, ...]) -> str:
    square = len(shape) == 2 and shape[0] == shape[1]
    return str(shape[0]) if square else "x".join(map(str, shape))


BOOK: Final = "6x8-1x2"
QUICK: Final = tuple(map(parse, (BOOK, "64-3", "224-3", "512-7", "512-31")))
FULL: Final = tuple(
    map(
        parse,
        (BOOK, "28-3", "64-3", "64-5", "224-3", "224-11", "512-7", "512-31", "1024-11", "1024-63"),
    )
)
# Layers as people have them: LeNet's two, VGG's and ResNet's, AlexNet's third, a first layer on a
# photograph, 1x1, depthwise, dilated, in groups.
LAYERS: Final = tuple(
    map(
        parse,
        (
            "64x1x28x28-6x1x5x5-p2",
            "64x6x14x14-16x6x5x5",
            "1x64x56x56-64x64x3x3-p1",
            "1x64x56x56-128x64x3x3-p1-s2",
            "1x384x13x13-256x384x3x3-p1",
            "1x3x224x224-64x3x3x3-p1",
            "1x256x28x28-64x256x1x1",
            "1x128x28x28-128x1x3x3-p1-g128",
            "1x32x32x32-32x32x3x3-p2-d2",
            "2x32x28x28-64x8x3x3-p1-g4",
        ),
    )
)
# Of every kind, and none that takes minutes anywhere.
FIT: Final = tuple(
    map(
        parse,
        f"{BOOK} 28-3 28-9 64-3 64-5 64-15 128-3 128-9 224-3 224-11 256-5 256-21 "
        "512-3 512-7 512-15 512-31 1024-3 1024-11".split(),
    )
)
# How time grows with the image, for one kernel, and with the kernel, for one image.
IMAGES: Final = tuple(Point((n, n), (3, 3)) for n in (8, 16, 32, 64, 128, 256, 512, 1024))
KERNELS: Final = tuple(Point((512, 512), (n, n)) for n in (1, 3, 7, 15, 31))
