"""Distance between floating-point numbers, counted in floating-point numbers.

The distance of two numbers in ulp (units in the last place) is here the number of steps from one
to the other along the numbers of their type. It is 0 for equal numbers, 1 for neighbours.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import DTypeError, ShapeError


def ulp_distance(a: Any, b: Any) -> NDArray[np.uint64]:
    """The distance in ulp of each element of one array from the same element of another.

    Args:
        a: A NumPy array of float16, float32 or float64.
        b: One of the same type and shape.

    Returns:
        An array of that shape. Zeros of different sign are 0 apart, two NaNs are 0 apart, and a
        NaN is 2**64 - 1 from any number. An infinity is one step beyond the largest number.

    Raises:
        DTypeError: The types are not one and the same floating type.
        ShapeError: The shapes differ.

    Source:
        The order of IEEE 754 numbers of one sign is that of their bits read as integers: IEEE
        754-2019, section 5.10 (totalOrder).

    Example:
        >>> ulp_distance(np.float32([1, 0, -0.0]), np.float32([1 + 2**-23, 1e-45, 0]))
        array([1, 1, 0], dtype=uint64)
    """
    a, b = _pair(a, b)
    negative_a, size_a = _sign_and_size(a)
    negative_b, size_b = _sign_and_size(b)
    between = np.maximum(size_a, size_b) - np.minimum(size_a, size_b)
    distance = np.where(negative_a == negative_b, between, size_a + size_b)
    nan_a, nan_b = np.isnan(a), np.isnan(b)
    distance = np.where(nan_a != nan_b, np.iinfo(np.uint64).max, distance)
    return np.where(nan_a & nan_b, np.uint64(0), distance)


def same_bits(a: Any, b: Any) -> bool:
    """Whether two arrays have the same type, shape and bits; NaNs are the same whatever they carry.

    Example:
        >>> same_bits(np.float32([0.0]), np.float32([-0.0]))
        False
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    equal = (a == b) & (np.signbit(a) == np.signbit(b))
    return bool(np.all(equal | (np.isnan(a) & np.isnan(b))))


def _pair(a: Any, b: Any) -> tuple[Any, Any]:
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.dtype.name not in ("float16", "float32", "float64"):
        raise DTypeError(
            f"the arrays are of {a.dtype} and {b.dtype}; both must be of the same type, one of "
            "float16, float32 and float64."
        )
    if a.shape != b.shape:
        raise ShapeError(
            f"the arrays have the shapes {a.shape} and {b.shape}; they must be the same."
        )
    return a, b


def _sign_and_size(a: Any) -> tuple[Any, Any]:
    """The sign bit, and the other bits as an integer: the number of steps from zero."""
    bits = np.ascontiguousarray(a).view(f"u{a.dtype.itemsize}").reshape(a.shape)
    sign = bits.dtype.type(1 << (8 * a.dtype.itemsize - 1))
    return (bits & sign) != 0, (bits & ~sign).astype(np.uint64)
