"""Numbers as they were given: each in its own precision, and none of them rounded."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any

import numpy as np

from d2lconv.core import data, ownership, registry

WHOLE = 2**53  # float64 holds all integers up to here


@dataclass(frozen=True)
class Values:
    """Numbers of any source, exactly.

    Attributes:
        floats: The numbers in their own floating type; in float64 if they have none.
        dtype: That type; None for integers and Python's numbers, which have no floating type.
        exact: The same numbers as fractions (infinities and NaNs as floats), an array of objects,
            where float64 does not hold them all (2**53 + 1, 1/3); else None.
    """

    floats: Any
    dtype: str | None
    exact: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        shape: tuple[int, ...] = self.floats.shape
        return shape

    def reshape(self, shape: tuple[int, ...]) -> "Values":
        """The same numbers in another shape."""
        return self.map(lambda a: a.reshape(shape))

    def map(self, function: Callable[[Any], Any]) -> "Values":
        """The same numbers moved about by a function of an array, such as a transposition."""
        exact = None if self.exact is None else function(self.exact)
        return Values(function(self.floats), self.dtype, exact)

    def wide(self) -> Any:
        """The numbers in float64, which rounds those that are given as :attr:`exact`."""
        return self.floats.astype(np.float64)

    def number(self, place: tuple[int, ...]) -> Fraction | float:
        """One number as a fraction; an infinity or NaN as a float."""
        if self.exact is not None:
            number: Fraction | float = self.exact[place]
            return number
        value = float(self.floats[place])
        return Fraction(value) if math.isfinite(value) else value

    def held_by(self, dtype: str) -> Any:
        """Where a number is one of this floating type, which is told without rounding."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            wide = self.wide()
            held = (wide.astype(dtype).astype(np.float64) == wide) | np.isnan(wide)
        if self.exact is None:
            return held
        pairs = zip(self.exact.flat, wide.astype(object).flat, strict=True)
        return held & np.array([x == y or x != x for x, y in pairs]).reshape(self.shape)


def read(value: Any, name: str = "data") -> Values:
    """A tensor of any framework, or an array or nested list of numbers, without rounding any.

    Raises:
        DTypeError, ShapeError, ArgumentError: It is not what ``d2lconv.to_numpy`` takes.

    Example:
        >>> read([0.1]).dtype, read([0.1]).number((0,)) == Fraction(0.1)
        (None, True)
        >>> read([2**53 + 1]).number((0,))
        Fraction(9007199254740993, 1)
    """
    if isinstance(value, Values):
        return value
    backend = ownership.backend_of(value)
    if backend is None:
        array, own = data.neutral(value, name)
    else:
        array, own = data.detached(value, name), registry.load(backend).tensors.dtype_name(value)
        if own not in data.FLOATS:  # of integers, which detached makes float32
            given = value.tolist() if hasattr(value, "tolist") else value
            array, own = np.asarray(given).reshape(array.shape), None
    if own is not None:
        return Values(array, own)
    floats = array.astype(np.float64)
    if array.dtype.kind in "iub":
        if ((array >= -WHOLE) & (array <= WHOLE)).all():
            return Values(floats, None)
        given = array.astype(object)
    else:
        given = np.asarray(value, object)
    pairs = zip(
        given.flat, floats.astype(object).flat, strict=False
    )  # of objects, which compare exactly
    if given.shape != floats.shape or all(x == y or x != x for x, y in pairs):
        return Values(floats, None)
    exact = np.empty(floats.size, object)
    exact[:] = [_exact(x) for x in given.flat]
    return Values(floats, None, exact.reshape(floats.shape))


def _exact(value: Any) -> Fraction | float:
    if isinstance(value, Integral):
        return Fraction(int(value))
    if isinstance(value, Fraction):
        return value
    value = float(value)
    return Fraction(value) if math.isfinite(value) else value


def difference(a: Values, e: Values) -> tuple[Any, Any]:
    """Where two arrays of one shape are equal, and how far apart they are, in float64.

    A NaN is equal to a NaN. Between a NaN and a number, and between an infinity and anything else,
    the distance is infinite. It is rounded to float64, but never to 0 where the two differ.
    """
    if a.exact is not None or e.exact is not None:
        return _exact_difference(a, e)
    with np.errstate(invalid="ignore", over="ignore"):
        one, other = a.wide(), e.wide()
        equal = (one == other) | (np.isnan(one) & np.isnan(other))
        # The difference of two float64 numbers can overflow, but is then above any finite bound.
        distance = np.abs(one - other)
    return equal, np.where(equal, 0.0, np.where(np.isnan(distance), math.inf, distance))


def _exact_difference(a: Values, e: Values) -> tuple[Any, Any]:
    equal, distance = np.ones(a.shape, bool), np.zeros(a.shape)
    for place in np.ndindex(a.shape):
        x, y = a.number(place), e.number(place)
        if x == y or (x != x and y != y):
            continue
        equal[place] = False
        if isinstance(x, float) or isinstance(y, float):  # an infinity or NaN
            distance[place] = math.inf
            continue
        try:
            distance[place] = max(float(abs(x - y)), 5e-324)
        except OverflowError:
            distance[place] = math.inf
    return equal, distance
