"""Sums of products in integers of any length: the last resort, slow and always right.

A finite float64 is an integer of 53 bits times a power of two. So a sum of products is an integer
times the smallest such power among the products, and Python's integers hold it without rounding.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.rounding.round import LIMITS, floating, narrow

Array = NDArray[np.float64]


def dot(x: Array, k: Array) -> tuple[int, int]:
    """The sum of the products of two rows of finite float64: (N, e), and it is N * 2**e.

    Example:
        >>> N, e = dot(np.float64([3, 1e300]), np.float64([0.5, 0]))
        >>> N * 2.0**e
        1.5
    """
    (a, p), (b, q) = _parts(x), _parts(k)
    exponents = (p + q).tolist()
    products = [i * j for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    used = [e for e, product in zip(exponents, products, strict=True) if product]
    least = min(used, default=0)
    pairs = zip(products, exponents, strict=True)
    return sum(product << (e - least) for product, e in pairs if product), least


def dots(x: Array, k: Array, dtype: Any) -> NDArray[Any]:
    """The sums of the products of the rows of two matrices, each rounded once to a type.

    Example:
        >>> dots(np.float64([[1, 2.0**-24]]), np.ones((1, 2)), "float32")
        array([1.], dtype=float32)
    """
    sums = [nearest(*dot(a, b), dtype) for a, b in zip(x, k, strict=True)]
    return narrow(np.array(sums, np.float64), dtype)


def nearest(N: int, e: int, dtype: Any) -> float:
    """N * 2**e rounded once to nearest, ties to even, in a type; as a Python float, which holds it.

    The result is a multiple of the unit 2**q: that of its last bit if it is normal, that of the
    smallest subnormal number otherwise. A significand of so few bits times 2**q is a float64,
    so ``ldexp`` is exact. From half a unit beyond the largest number on, the result is infinite.

    Example:
        >>> nearest(2**24 + 1, 0, "float32"), nearest(1, -1075, "float64"), nearest(3, 1023, "f8")
        (16777216.0, 0.0, inf)
    """
    info = LIMITS[floating(dtype)]
    if not N:
        return 0.0  # whatever e is
    size, sign = abs(N), (-1.0 if N < 0 else 1.0)
    q = max(size.bit_length() + e - (info.nmant + 1), int(info.minexp) - info.nmant)
    if q <= e:
        significand = size << (e - q)
    else:
        significand, rest = divmod(size, 1 << (q - e))
        half = 1 << (q - e - 1)
        if rest > half or (rest == half and significand % 2):
            significand += 1
    if significand.bit_length() + q > int(info.maxexp):
        return sign * math.inf
    return sign * math.ldexp(significand, q)


def quotient(N: int, D: int, dtype: Any) -> float:
    """N / D rounded once to nearest, ties to even, in a type; D is positive.

    The quotient is cut off after 60 bits or more, and one more bit says whether anything was left.
    What a result is decided by, numbers of the type and midpoints of two of them, has 54 bits at
    most, so that it lies on the same side of the quotient as of the number with that last bit.

    Example:
        >>> quotient(1, 3, "float32"), quotient(-1, 3 * 2**1100, "float64")
        (0.3333333432674408, -0.0)
    """
    size, sign = abs(N), (-1.0 if N < 0 else 1.0)
    shift = max(0, D.bit_length() - size.bit_length() + 60)
    found, left = divmod(size << shift, D)
    return sign * nearest(2 * found + (left > 0), -shift - 1, dtype)


def _parts(x: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Integers of 53 bits at most and exponents of two, whose product each element is."""
    fraction, exponent = np.frexp(x)
    return (fraction * 2.0**53).astype(np.int64), exponent.astype(np.int64) - 53
