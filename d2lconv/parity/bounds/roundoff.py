"""How much one rounding, and many in a row, can change a number."""

import math
from typing import Any

import numpy as np

from d2lconv.core import data

NARROW = {"bfloat16": 2.0**-8, "tf32": 2.0**-11}  # unit roundoffs of types that NumPy lacks
WIDER = 2.0**-11  # the unit roundoff of a wider type, as a share of the narrower one's, at most


def gamma(n: float, dtype: Any) -> float:
    """The largest relative error of n operations in a row: exp(n * u * (1 + 2**-11)) - 1.

    Args:
        n: The number of operations.
        dtype: The floating type that is rounded to.

    Example:
        >>> round(gamma(1024, "float16"), 4)  # 1.0 by the usual n*u / (1 - n*u)
        0.6491
    """
    return gammas((n, dtype))


def unit_roundoff(dtype: Any) -> float:
    """The largest relative error of one rounding to nearest: half the distance from 1 to the next.

    Example:
        >>> unit_roundoff("float32") == 2**-24
        True
    """
    if dtype in NARROW:
        return NARROW[dtype]
    return float(np.finfo(data.dtype_name(dtype)).eps) / 2


def gammas(*roundings: tuple[float, Any]) -> float:
    """The largest relative error of several roundings in a row, each a number and a type.

    Example:
        >>> gammas((9, "float32"), (1, "float16")) < gamma(10, "float16")
        True
    """
    exponent = sum(n * unit_roundoff(dtype) for n, dtype in roundings) * (1 + WIDER)
    return math.expm1(exponent) if exponent < 700 else math.inf


def underflow(dtype: str) -> float:
    """What one operation can lose by underflow: all below tiny, but float16 is never flushed."""
    if dtype in NARROW:  # they have float32's exponents
        dtype = "float32"
    info = np.finfo(dtype)
    return float(info.smallest_subnormal if dtype == "float16" else info.tiny)


def largest(dtype: str) -> float:
    """The largest number of a type, less what the last digits of a narrow one make of it."""
    if dtype in NARROW:
        return float(np.finfo(np.float32).max) * (1 - NARROW[dtype])
    return float(np.finfo(dtype).max)
