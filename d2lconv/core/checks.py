"""Checks of shapes and options, with one set of words for every backend."""

import math
import operator
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from numbers import Real
from typing import Any

from d2lconv.errors import ArgumentError, ShapeError


def matrix(shape: tuple[int | None, ...], name: str) -> None:
    """Check that a shape is that of a matrix with elements."""
    if len(shape) != 2:
        dimensions = f"{len(shape)} dimension{'s' * (len(shape) != 1)}"
        raise ShapeError(
            f"{name} has {dimensions}, shape {shape}; it must have two, (height, width)."
            f"{colours(shape, name)}"
        )
    if None in shape:
        raise ShapeError(
            f"{name} has the shape {shape}; both sizes must be known when the call is traced."
        )
    if 0 in shape:
        raise ShapeError(f"{name} is empty, shape {shape}; both sizes must be at least 1.")


def filled(name: str, shape: tuple[int | None, ...]) -> None:
    """Check that an array of this shape has elements."""
    if 0 in shape:
        raise ShapeError(f"{name} is empty, shape {shape}; all sizes must be at least 1.")


def colours(shape: tuple[int | None, ...], name: str) -> str:
    """What to do with a photograph whose colours come last; nothing for another shape.

    Example:
        >>> colours((480, 640, 3), "X")
        ' If this is a photograph with its colours last, dc.load_image makes it grey; or put the \
channels first, np.moveaxis(X, -1, 0), and give the kernel as many.'
    """
    if len(shape) not in (3, 4) or shape[-1] not in (3, 4) or 0 in shape:
        return ""
    first = -3 if len(shape) == 4 else 0
    return (
        " If this is a photograph with its colours last, dc.load_image makes it grey; or put the "
        f"channels first, np.moveaxis({name}, -1, {first}), and give the kernel as many."
    )


def channels(
    of_image: int, outputs: int, per_group: int, groups: int, by_group: bool = True
) -> None:
    """Check that the channels of X are those that K wants."""
    if not by_group and groups != 1:
        raise ShapeError(
            f"groups is {groups}, and K has no axis for several outputs; with groups, K must have "
            "the shape (o, c/groups, kh, kw)."
        )
    if of_image % groups or outputs % groups:
        what = f"X has {of_image} channels" if of_image % groups else f"K has {outputs} outputs"
        raise ShapeError(
            f"groups is {groups}, and {what}, which it does not divide; it must divide the "
            "channels of X and the outputs of K."
        )
    if per_group * groups != of_image:
        of_each = f" in each of {groups} groups" if groups > 1 else ""
        fits = f" ({per_group * groups} in all)" if groups > 1 else ""
        divides = ""
        if of_image % per_group == 0 and outputs % (of_image // per_group) == 0:
            divides = f", or set groups={of_image // per_group}"
        raise ShapeError(
            f"K wants {_channels(per_group)}{of_each}{fits}, X has {of_image}. Give X "
            f"{_channels(per_group * groups)}, or K the shape "
            f"(o, {of_image // groups}, kh, kw){divides}."
        )


def _channels(n: int) -> str:
    return f"{n} channel{'s' * (n != 1)}"


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


def index(value: Any) -> int:
    """The int that an integer of any type is; a TypeError if it is none, whatever it says to it."""
    try:
        return operator.index(value)
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:  # as tensors answer
        raise TypeError(f"a {type(value).__name__} is no integer") from error


def is_real(value: Any) -> bool:
    """Whether something is a real number."""
    try:
        return isinstance(value, Real)
    except TypeError:  # its type has no hash, and Python asks for it
        return False


def finite(value: Any) -> float | None:
    """A real number as a float; None if it is none, or not finite."""
    if isinstance(value, bool) or not is_real(value):
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
    raise ArgumentError(
        f"unknown {what} {value!r}{suggestion(value, allowed)} Allowed: {', '.join(allowed)}."
    )


def suggestion(value: Any, allowed: Iterable[str], cutoff: float = 0.6) -> str:
    """The end of a sentence about an unknown name: the nearest of the known ones, if one is near.

    Example:
        >>> suggestion("exakt", ["exact", "loop"]), suggestion("x", ["exact"])
        ("; did you mean 'exact'?", '.')
    """
    close = get_close_matches(str(value), list(allowed), n=1, cutoff=cutoff)
    return f"; did you mean {close[0]!r}?" if close else "."
