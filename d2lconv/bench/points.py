"""What is measured: sizes of images and kernels, and what is done with them."""

import re
from dataclasses import dataclass
from typing import Final

from d2lconv.errors import ArgumentError


@dataclass(frozen=True)
class Point:
    """One size: an image (h, w) and a kernel (kh, kw)."""

    image: tuple[int, int]
    kernel: tuple[int, int]

    def __str__(self) -> str:
        """As on the command line: 6x8-1x2, or 28-3 where both are square."""
        return "-".join(_side(shape) for shape in (self.image, self.kernel))

    @property
    def output(self) -> tuple[int, int]:
        """The shape of the output."""
        (h, w), (kh, kw) = self.image, self.kernel
        return h - kh + 1, w - kw + 1

    @property
    def windows(self) -> int:
        """The elements of the output: how often the loop of the lesson goes round."""
        H, W = self.output
        return H * W

    @property
    def multiplications(self) -> int:
        """The elements of all windows, each of which is multiplied with one of the kernel."""
        return self.windows * self.kernel[0] * self.kernel[1]

    @property
    def is_small(self) -> bool:
        """Whether there are at most 4 million multiplications, so that nothing takes minutes."""
        return self.multiplications <= 4_000_000


def parse(text: str) -> Point:
    """A size as it is written on the command line.

    Example:
        >>> parse("6x8-1x2")
        Point(image=(6, 8), kernel=(1, 2))
        >>> parse("28-3")
        Point(image=(28, 28), kernel=(3, 3))
    """
    match = re.fullmatch(r"(\d+)(?:x(\d+))?-(\d+)(?:x(\d+))?", text)
    h, w, kh, kw = (int(n) if n else 0 for n in match.groups()) if match else (0, 0, 0, 0)
    point = Point((h, w or h), (kh, kw or kh))
    if min(*point.image, *point.kernel, *point.output) < 1:
        raise ArgumentError(
            f"the size is {text!r}; write image-kernel, such as 28-3 or 6x8-1x2, the kernel not "
            "larger than the image, and neither empty."
        )
    return point


def _side(shape: tuple[int, int]) -> str:
    return str(shape[0]) if shape[0] == shape[1] else "x".join(map(str, shape))


BOOK: Final = "6x8-1x2"
QUICK: Final = tuple(map(parse, (BOOK, "64-3", "224-3", "512-7", "512-31")))
FULL: Final = tuple(
    map(
        parse,
        (BOOK, "28-3", "64-3", "64-5", "224-3", "224-11", "512-7", "512-31", "1024-11", "1024-63"),
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
