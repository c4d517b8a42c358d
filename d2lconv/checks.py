"""Checks of shapes and options, with one set of words for every backend."""

import math
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from numbers import Real
from operator import index
from typing import Any

from d2lconv.errors import ArgumentError, ShapeError


def matrix(shape: tuple[int | None, ...], name: str) -> None:
    """Check that a shape is that of a matrix with elements."""
    if len(shape) != 2:
        dimensions = f"{len(shape)} dimension{'s' * (len(shape) != 1)}"
        raise ShapeError(
            f"{name} has {dimensions}, shape {shape}; it must have two, (height, width). "
            "Pass one channel of one image at a time."
        )
    if None in shape:
        raise ShapeError(
            f"{name} has the shape {shape}; both sizes must be known when the call is traced."
        )
    if 0 in shape:
        raise ShapeError(f"{name} is empty, shape {shape}; both sizes must be at least 1.")


def output_shape(image: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, int]:
    """The shape (H, W) of the output: in how many places the kernel fits wholly inside the image.

    Example:
        >>> output_shape((6, 8), (1, 2))
        (6, 7)
    """
    (h, w), (kh, kw) = image, kernel
    if kh > h or kw > w:
        raise ShapeError(
            f"the kernel, shape {(kh, kw)}, is larger than the image, shape {(h, w)}; it must fit "
            "inside. Use a smaller kernel, or pad the image."
        )
    return h - kh + 1, w - kw + 1


def kernel_size(size: Any) -> tuple[int, int]:
    """A kernel size checked: a pair (height, width) of positive integers."""
    return pair("kernel_size", size)


def pair(name: str, size: Any) -> tuple[int, int]:
    """A pair (height, width) of positive integers, or a :class:`ShapeError`."""
    try:
        kh, kw = (index(n) for n in size if not isinstance(n, bool))
    except (TypeError, ValueError):
        kh = kw = 0
    if kh < 1 or kw < 1:
        raise ShapeError(
            f"{name} is {size!r}; it must be a pair (height, width) of integers, each at least 1, "
            "such as (1, 2)."
        )
    return kh, kw


def whole_number(name: str, value: Any, least: int) -> int:
    """An integer that is not too small, or an :class:`ArgumentError`."""
    number = integer(value)
    if number is None or number < least:
        raise ArgumentError(f"{name} is {value!r}; it must be an integer of at least {least}.")
    return number


def integer(value: Any) -> int | None:
    """An integer of any type as an int; None if it is none."""
    try:
        return None if isinstance(value, bool) else index(value)
    except TypeError:
        return None


def finite(value: Any) -> float | None:
    """A real number as a float; None if it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer beyond the largest float
        return None
    return number if math.isfinite(number) else None


def names(what: str, value: Any) -> list[str]:
    """A list of names; one name alone is a list of one."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, Iterable) or isinstance(found, bytes):
        found = [None]
    found = list(found)
    if not all(isinstance(name, str) for name in found):
        raise ArgumentError(f"{what} is {value!r}; it must be a list of names, or None for all.")
    return found


def choice(what: str, value: Any, allowed: Collection[str]) -> str:
    """One of a few words, or an :class:`ArgumentError` that lists them."""
    if isinstance(value, str) and value in allowed:
        return value
    close = get_close_matches(str(value), list(allowed), n=1)
    raise ArgumentError(
        f"unknown {what} {value!r}"
        + (f"; did you mean {close[0]!r}?" if close else ".")
        + f" Allowed: {', '.join(allowed)}."
    )
