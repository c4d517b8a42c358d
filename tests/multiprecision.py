"""The true value of elementwise functions: by mpmath, with many digits, rounded once."""

from fractions import Fraction

import mpmath
import numpy as np
from mpmath.libmp import to_rational
from rationals import round_exactly

from d2lconv.rounding import round_pair


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def sigmoid_gradient(x, g):
    a = mpmath.exp(-abs(x))
    return g * a / (1 + a) ** 2


def tanh_gradient(x, g):
    return g * mpmath.sech(x) ** 2


TRUE = {
    "exp": mpmath.exp,
    "sigmoid": sigmoid,
    "tanh": mpmath.tanh,
    "sigmoid_gradient": sigmoid_gradient,
    "tanh_gradient": tanh_gradient,
}


def rounded(name, *operands, digits=60):
    """A function of finite numbers, rounded to their type.

    60 digits are 200 bits. float16 and float32 results have midpoints of 25 bits at most; that the
    true value and the one to 60 digits are on different sides of one has a chance of 2**-170.
    """
    dtype, shape = operands[0].dtype, operands[0].shape
    with mpmath.workdps(digits):
        rows = zip(*(a.ravel().tolist() for a in operands), strict=True)
        values = [TRUE[name](*map(mpmath.mpf, row)) for row in rows]
        if dtype == np.float64:
            exact = (Fraction(*to_rational(value._mpf_)) for value in values)
            found = np.array([round_exactly(value, dtype) for value in exact])
        else:
            values = [min(value, 1e99) for value in values]  # what overflows still does
            high = [float(value) for value in values]
            low = [float(value - near) for value, near in zip(values, high, strict=True)]
            found = round_pair(np.array(high), np.array(low), dtype)
    if name not in ("exp", "sigmoid"):  # mpmath has no -0
        found = np.copysign(found, operands[-1].ravel())
    return found.reshape(shape)
