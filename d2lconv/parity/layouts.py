"""The order of axes: which letter of "NHWC" or "HWIO" stands where, and how to get to ours.

Ours is (n, c, h, w) for images and results, and (o, c/groups, kh, kw) for kernels.
"""

from dataclasses import dataclass
from typing import Any

from d2lconv.core import checks
from d2lconv.errors import ShapeError

IMAGES = ("NCHW", "NHWC", "CHW", "HWC", "HW")
KERNELS = ("OIHW", "HWIO", "OHWI", "HWIM", "IHW", "HWI", "HW")
OURS = {"image": "NCHW", "kernel": "OIHW"}


@dataclass(frozen=True)
class Axes:
    """Between arrays in a layout and arrays of four axes in our order.

    Attributes:
        letters: The layout. "HWIM" is TensorFlow's for depthwise kernels: M kernels for each of I
            channels, which are our o = I*M kernels of one channel each.
        ours: "NCHW" or "OIHW".
        channels: I of "HWIM".
    """

    letters: str
    ours: str
    channels: int = 1

    def lift(self, a: Any) -> Any:
        """An array in the layout, in our order and with all four axes.

        Example:
            >>> import numpy as np
            >>> Axes("HWC", "NCHW").lift(np.zeros((8, 9, 3))).shape
            (1, 3, 8, 9)
            >>> Axes("HWIM", "OIHW").lift(np.zeros((5, 5, 3, 2))).shape
            (6, 1, 5, 5)
        """
        if self.letters == "HWIM":
            kh, kw, i, m = a.shape
            return a.transpose(2, 3, 0, 1).reshape(i * m, 1, kh, kw)
        there = [letter for letter in self.ours if letter in self.letters]
        a = a.transpose([self.letters.index(letter) for letter in there])
        sizes = dict(zip(there, a.shape, strict=True))
        return a.reshape([sizes.get(letter, 1) for letter in self.ours])

    def lower(self, a: Any) -> Any:
        """An array in our order, in the layout."""
        if self.letters == "HWIM":
            o, _, kh, kw = a.shape
            return a.reshape(self.channels, o // self.channels, kh, kw).transpose(2, 3, 0, 1)
        there = [letter for letter in self.ours if letter in self.letters]
        sizes = dict(zip(self.ours, a.shape, strict=True))
        a = a.reshape([sizes[letter] for letter in there])
        return a.transpose([there.index(letter) for letter in self.letters])

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape may be in the layout."""
        return len(shape) == len(self.letters)


def of_image(layout: Any, shape: tuple[int, ...], name: str, option: str = "layout") -> Axes:
    """The axes of images or results of this shape; None is ours, by the number of axes."""
    if layout is None:
        found = {2: "HW", 3: "CHW", 4: "NCHW"}.get(len(shape))
    else:
        found = checks.choice(option, layout, IMAGES)
    return _checked(found, "image", shape, name, option)


def of_kernel(
    layout: Any, shape: tuple[int, ...], images: str = "NCHW", option: str = "kernel_layout"
) -> Axes:
    """The axes of a kernel; None is ours, or "HWIO" where images have their channels last."""
    if layout is None:
        last = images in ("NHWC", "HWC")
        found = {2: "HW", 3: "HWI" if last else "IHW", 4: "HWIO" if last else "OIHW"}.get(
            len(shape)
        )
    else:
        found = checks.choice(option, layout, KERNELS)
    axes = _checked(found, "kernel", shape, "K", option)
    return Axes("HWIM", "OIHW", shape[2]) if found == "HWIM" else axes


def _checked(
    letters: str | None, what: str, shape: tuple[int, ...], name: str, option: str
) -> Axes:
    if letters is None or len(letters) != len(shape):
        known = IMAGES if what == "image" else KERNELS
        fitting = [known_one for known_one in known if len(known_one) == len(shape)]
        given = "" if letters is None else f", and {option}={letters!r} has {len(letters)} axes"
        advice = (
            f"Give {option} as one of {', '.join(fitting)}"
            if fitting
            else ("Give two, three or four axes")
        )
        raise ShapeError(f"{name} has the shape {shape}{given}. {advice}, or another array.")
    return Axes(letters, OURS[what])


def readings(image: tuple[int, ...], kernel: tuple[int, ...], groups: int) -> list[tuple[str, str]]:
    """Pairs of layouts in which images and kernels of these shapes have channels that fit."""
    found = []
    for one in IMAGES:
        for other in KERNELS:
            if len(one) != len(image) or len(other) != len(kernel) or other == "HWIM":
                continue
            c = image[one.index("C")] if "C" in one else 1
            i = kernel[other.index("I")] if "I" in other else 1
            h, w = (image[one.index(letter)] for letter in "HW")
            kh, kw = (kernel[other.index(letter)] for letter in "HW")
            if c == i * groups and kh <= h and kw <= w:
                found.append((one, other))
    return found
