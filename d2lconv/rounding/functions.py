"""Elementwise functions, correctly rounded: the true value of each element, rounded once.

**How.** Each element is computed in float64, off by c*u of its true value at most, u = 2**-53, and
put to Ziv's test (:mod:`d2lconv.rounding.ziv`, which also says what is assumed of NumPy, and why
arguments may be cut off at 500). What it leaves undecided is enclosed in decimal numbers with more
and more digits (:mod:`d2lconv.rounding.enclosures`).

**The error, function by function**, with a = exp(-|x|) or exp(-2*|x|), which is off by 8*u:

- exp: 8*u.
- sigmoid is 1/(1 + a) or, for x < 0, a/(1 + a). As a <= 1, 1 + a is off by 4*u + u. With the
  division, 6*u or 14*u.
- tanh is -m/(2 + m) with the sign of x, where m = expm1(-2*|x|) lies from -1 to 0 and is off by
  8*u. Its error counts twice in m/(2 + m) at most (2/(2 + m) <= 2), then 2 + m is rounded, and the
  quotient: 18*u. -2*|x| is exact.
- The gradients are g*a/(1 + a)**2 for sigmoid, and four times that for tanh, as s*(1 - s) =
  a/(1 + a)**2, and 1 - tanh**2 = 4*a/(1 + a)**2. a: 8*u; (1 + a)**2: 2*5*u + u; the quotient and
  the product with g: 2*u; in all 21*u.

**Where no number of digits would help**, because the true value is rational, it is found by itself.
For x rational and not 0, exp(x) is transcendental (Lindemann), and so is each of these functions,
for exp(x) would be the root of a polynomial if it were not. So what remains is x = 0: 1, 1/2, 0,
g/4 and g. And g = 0, which gives 0 with its sign.

**Zeros, infinities and NaN.** tanh keeps the sign of 0. A value that is rounded to 0 keeps its
sign. exp(-inf), sigmoid(-inf) are 0, exp(inf) is inf, sigmoid(inf) and tanh(inf) are 1, the
gradients are 0*g at infinity, so NaN for g infinite. NaN gives NaN.

**float64** has no wider type to be computed in. Each element is enclosed in decimal numbers: right,
but slow (a thousand times).
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import DTypeError, ShapeError
from d2lconv.rounding import integers
from d2lconv.rounding.enclosures import Digits, Enclosure, decide, exactly
from d2lconv.rounding.round import FLOATS, narrow, widen
from d2lconv.rounding.ziv import ASSUMED, near, ziv

Array = NDArray[np.float64]
AT_ONCE = 2**17  # elements: in float64 1 MiB
SATURATED = 2000.0  # and beyond it, exp is 2**1024 or more, or less than 2**-2885


def exp(x: Any) -> NDArray[Any]:
    """The exponential function, correctly rounded.

    Args:
        x: Numbers of float16, float32 or float64, of any shape.

    Returns:
        An array of the same type and shape.

    Raises:
        DTypeError: x is of another type.

    Example:
        >>> exp(np.float32([0, 1, -200]))
        array([1.       , 2.7182817, 0.       ], dtype=float32)
    """

    def one(x: float, dtype: Any) -> float:
        if x == 0 or abs(x) > SATURATED:
            return 1.0 if x == 0 else math.inf if x > 0 else 0.0
        return decide(lambda digits: digits.exp(Decimal(x)), dtype)

    return _rounded(lambda x: np.exp(near(x)), 2 * ASSUMED["exp"], one, x)


def sigmoid(x: Any) -> NDArray[Any]:
    """1 / (1 + exp(-x)), correctly rounded.

    Args:
        x: Numbers of float16, float32 or float64, of any shape.

    Returns:
        An array of the same type and shape.

    Raises:
        DTypeError: x is of another type.

    Example:
        >>> sigmoid(np.float32([-1, 0, 1, 50]))
        array([0.26894143, 0.5       , 0.7310586 , 1.        ], dtype=float32)
    """

    def several(x: Array) -> Array:
        a = np.exp(-np.abs(near(x)))
        found: Array = np.where(x < 0, a, 1.0) / (1 + a)
        return found

    def one(x: float, dtype: Any) -> float:
        if x == 0 or abs(x) > SATURATED:
            return 0.5 if x == 0 else 1.0 if x > 0 else 0.0

        def enclose(digits: Digits) -> Enclosure:
            a = digits.exp(Decimal(-abs(x)))
            return digits.divide(a if x < 0 else exactly(1), digits.add(exactly(1), a))

        return decide(enclose, dtype)

    return _rounded(several, 3 * ASSUMED["exp"] + 2, one, x)


def tanh(x: Any) -> NDArray[Any]:
    """The hyperbolic tangent, correctly rounded.

    In decimal numbers it is (1 - a) / (1 + a) with a = exp(-2*|x|). Up to 2**-30 it is x: the
    difference is less than |x|**3 / 3, below 2**-61 * |x|, and from x to the midpoints beside it it
    is 2**-55 * |x| at least, or 2**-1075.

    Args:
        x: Numbers of float16, float32 or float64, of any shape.

    Returns:
        An array of the same type and shape.

    Raises:
        DTypeError: x is of another type.

    Example:
        >>> print(tanh(np.float32([-0.0, 0.5, 50])))
        [-0.          0.46211717  1.        ]
    """

    def several(x: Array) -> Array:
        m = np.expm1(-2 * np.abs(near(x)))
        return np.copysign(m / (2 + m), x)

    def one(x: float, dtype: Any) -> float:
        if abs(x) <= 2.0**-30 or abs(x) > SATURATED:
            return x if abs(x) < 1 else math.copysign(1, x)

        def enclose(digits: Digits) -> Enclosure:
            a = digits.exp(Decimal(-2 * abs(x)))
            return digits.divide(digits.subtract(exactly(1), a), digits.add(exactly(1), a))

        return math.copysign(decide(enclose, dtype), x)

    return _rounded(several, 4 * ASSUMED["expm1"] + 2, one, x)


def sigmoid_gradient(x: Any, g: Any) -> NDArray[Any]:
    """The gradient g * s * (1 - s), with s the true sigmoid of x, rounded once in all.

    Args:
        x: What the sigmoid was taken of: float16, float32 or float64, of any shape.
        g: The gradient with respect to its result, of the same type and shape.

    Returns:
        The gradient with respect to x, an array of the same type and shape.

    Raises:
        DTypeError: x is of another type, or g not of x's.
        ShapeError: g is not of x's shape.

    Example:
        >>> sigmoid_gradient(np.float32([0, 2]), np.float32([1, 1]))
        array([0.25      , 0.10499358], dtype=float32)
    """
    return _rounded(
        lambda x, g: g * _bell(np.abs(near(x))),
        4 * ASSUMED["exp"] + 6,
        lambda x, g, dtype: _settled_bell(abs(x), g, 4, dtype),
        x,
        g,
    )


def tanh_gradient(x: Any, g: Any) -> NDArray[Any]:
    """The gradient g * (1 - t**2), with t the true tanh of x, rounded once in all.

    Args:
        x: What the tangent was taken of: float16, float32 or float64, of any shape.
        g: The gradient with respect to its result, of the same type and shape.

    Returns:
        The gradient with respect to x, an array of the same type and shape.

    Raises:
        DTypeError: x is of another type, or g not of x's.
        ShapeError: g is not of x's shape.

    Example:
        >>> tanh_gradient(np.float32([0, 1]), np.float32([1, 1]))
        array([1.        , 0.41997433], dtype=float32)
    """
    return _rounded(
        lambda x, g: g * (4 * _bell(np.abs(near(2 * x)))),
        4 * ASSUMED["exp"] + 6,
        lambda x, g, dtype: _settled_bell(2 * abs(x), g, 1, dtype),
        x,
        g,
    )


def relu(x: Any) -> NDArray[Any]:
    """Keep x where it is positive or NaN; +0 elsewhere. Exact.

    Raises:
        DTypeError: x is none of float16, float32 and float64.

    Example:
        >>> relu(np.float32([-1, -0.0, 2]))
        array([0., 0., 2.], dtype=float32)
    """
    (x,) = _operands(x)
    return np.where(widen(x) <= 0, x.dtype.type(0), x)


def relu_gradient(x: Any, g: Any) -> NDArray[Any]:
    """Keep g where x is positive; NaN where x is NaN, +0 elsewhere, also at 0. Exact.

    Raises:
        DTypeError: x is none of float16, float32 and float64, or g not of x's type.
        ShapeError: g is not of x's shape.

    Example:
        >>> relu_gradient(np.float32([-1, 0, 2]), np.float32([3, 3, 3]))
        array([0., 0., 3.], dtype=float32)
    """
    x, g = _operands(x, g)
    return np.where(np.isnan(x), x, np.where(widen(x) > 0, g, x.dtype.type(0)))


def _rounded(
    several: Callable[..., Array], error: int, one: Callable[..., float], *operands: Any
) -> NDArray[Any]:
    """A function of float64 arrays, off by so many u, and where that is too much, of numbers."""
    given = _operands(*operands)
    flat = [a.ravel() for a in given]
    values = np.empty_like(flat[0])
    for start in range(0, len(values), AT_ONCE):
        some = [a[start : start + AT_ONCE] for a in flat]
        values[start : start + AT_ONCE] = _piece(several, error, one, some)
    return values.reshape(given[0].shape)


def _piece(
    several: Callable[..., Array], error: int, one: Callable[..., float], given: list[NDArray[Any]]
) -> NDArray[Any]:
    """The same, for few elements in a row."""
    dtype, wide = given[0].dtype, [widen(a) for a in given]
    with np.errstate(all="ignore"):
        found = several(*wide)
    if dtype == np.float64:
        values, undecided = found, np.ones(found.shape, np.bool_)
    else:
        values, undecided = ziv(found, error, dtype)
    nan = np.isnan(found)
    if nan.any():
        values[nan] = np.nan  # the NaN of one sign
    where = np.flatnonzero(undecided)
    where = where[np.all([np.isfinite(a[where]) for a in wide], axis=0)]
    rows = zip(*(a[where].tolist() for a in wide), strict=True)
    values[where] = narrow(np.array([one(*row, dtype) for row in rows], np.float64), dtype)
    return values


def _operands(*arrays: Any) -> list[NDArray[Any]]:
    """The operands as arrays of one floating type and one shape."""
    x, *others = (np.asarray(array) for array in arrays)
    if x.dtype.name not in FLOATS or any(g.dtype != x.dtype for g in others):
        types = " and ".join(str(a.dtype) for a in (x, *others))
        raise DTypeError(f"got {types}; give float16, float32 or float64, and the same for all.")
    if any(g.shape != x.shape for g in others):
        shapes = " and ".join(str(a.shape) for a in (x, *others))
        raise ShapeError(f"got the shapes {shapes}; x and its gradient must have the same.")
    return [x, *others]


def _bell(x: Array) -> Array:
    """The bell-shaped a / (1 + a)**2 for a = exp(-x)."""
    a = np.exp(-x)
    found: Array = a / np.square(1 + a)
    return found


def _settled_bell(x: float, g: float, divisor: int, dtype: Any) -> float:
    """The value of g * (4 / divisor) * a / (1 + a)**2 for a = exp(-x), rounded once."""
    if x == 0:
        N, D = g.as_integer_ratio()
        return math.copysign(integers.quotient(N, D * divisor, dtype), g)
    if g == 0 or x > 2 * SATURATED:
        return math.copysign(0, g)

    def enclose(digits: Digits) -> Enclosure:
        a = digits.exp(Decimal(-x))
        one = digits.add(exactly(1), a)
        scaled = digits.multiply(exactly(4 // divisor), digits.multiply(exactly(abs(g)), a))
        return digits.divide(scaled, digits.multiply(one, one))

    return math.copysign(decide(enclose, dtype), g)
