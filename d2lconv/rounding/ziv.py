"""Ziv's test of float64 functions: where a result is surely near enough to the true value.

**The test.** v is off the true value t by c*u*|t| at most, u = 2**-53. Then t lies between
v*(1 - E) and v*(1 + E) for E = (c + 2)*u, c even: 1 - E and 1 + E are float64 numbers, the products
with them are rounded, by a factor of 1 + u at worst, and (1 + c*u + 999*u*u) * (1 - E) * (1 + u) <
1, likewise above. So c need not count products of errors. If both round to the same number, with
the same sign, that is the answer. (See :mod:`d2lconv.rounding.certificate` for the source.)

**What is assumed of NumPy** is all in ``ASSUMED``: the error of its float64 functions in units of
the last place, for results that are normal numbers. A unit is 2*u*|t| at most. NumPy's own tests
allow 2 units for exp and log1p and 3 for expm1 (``umath-validation-set-*.csv`` among them). The GNU
C library, which computes them on some processors, gives 1 for all three (manual, "Known Maximum
Errors in Math Functions"). We assume 4. Ours saw 1.9 with AVX-512 and 0.8 without, for 10**6
arguments each.

**Arguments of exp and expm1 are cut off at 500**, unless they are infinite. So exp has results from
2**-722 to 2**722, all normal, and so are their products with a gradient, of 2**-149 at least. The
rounded result stays the same: from there on it is infinite, 0 (sign kept) or 1 in float16 and
float32, since these overflow at 2**128 or before, have no number below 2**-149, and a gradient is
less than 2**128.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.rounding.round import bits, narrow

Array = NDArray[np.float64]
U = 2.0**-53
ASSUMED = {"exp": 4, "expm1": 4, "log1p": 4}  # units in the last place, of float64
FURTHEST = 500.0  # arguments beyond it are cut off in float64


def ziv(values: Array, error: int, dtype: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Ziv's test: float64 values rounded, and where this may not be the true values' rounding.

    Args:
        values: float64 numbers of any shape.
        error: By how many u = 2**-53 each is off its true value, relatively; an even number.
        dtype: float16 or float32.

    Returns:
        The rounded values, and a mask, True where they are undecided. NaN is decided.

    Example:
        >>> ziv(np.float64([1 + 2**-24, 1 + 2**-20]), 8, "float32")[1]
        array([ True, False])
    """
    E = (error + 2) * U
    with np.errstate(all="ignore"):
        low, high = narrow(values * (1 - E), dtype), narrow(values * (1 + E), dtype)
    differ = bits(low) != bits(high)
    return high, differ & ~np.isnan(values) if differ.any() else differ


def near(x: Array) -> Array:
    """Arguments, cut off unless they are infinite.

    Example:
        >>> near(np.float64([1, -800, np.inf])).tolist()
        [1.0, -500.0, inf]
    """
    if np.abs(x).max(initial=0) <= FURTHEST:
        return x
    return np.where(np.isinf(x), x, np.clip(x, -FURTHEST, FURTHEST))
