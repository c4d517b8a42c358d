"""One question, answered with a proof: are two results the same bits, rounding, or a bug?"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from d2lconv import data, selection
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.parity import bounds
from d2lconv.parity.ulp import same_bits, ulp_distance

VERDICTS = ("identical", "rounding", "bug")


@dataclass(frozen=True)
class Comparison:
    """What comparing two results gives; ``print`` it for a sentence.

    Attributes:
        identical: Whether type, shape and all bits are the same (a NaN is a NaN).
        ulp: The largest distance of two elements in ulp of the coarser of the two types: 0 if the
            values are equal, 2**64 - 1 if one is NaN and the other is not. None if the shapes
            differ.
        share: The largest share of the bound that a difference uses. Up to 1 it may be rounding;
            infinite where nothing may differ and something does.
        worst: The index of the element with the largest share; None if the values are all equal.
        verdict: "identical", "rounding" or "bug".
        reason: Why, with the worst element's values, in words.
        shares: The share for each element, or None if the shapes differ.
    """

    identical: bool
    ulp: int | None
    share: float
    worst: tuple[int, ...] | None
    verdict: str
    reason: str
    shares: Any = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


def compare(
    actual: Any, expected: Any, *, X: Any = None, K: Any = None, bound: Any = None
) -> Comparison:
    """Compare two results, and say whether their difference is rounding or a bug.

    Args:
        actual: A tensor of any framework, or an array or nested list of numbers.
        expected: What it is compared with, of the same shape. It may be of another framework and
            of another floating type; a wider one is so much closer to the true value.
        X: The image (h, w) of a cross-correlation whose results the two are, and
        K: its kernel (kh, kw): together they give the bound (:func:`d2lconv.parity.bounds.corr2d`,
            for either result in its own type, added). An infinity or NaN is allowed where the
            additions in some order may overflow, but two finite results must be near each other.
        bound: Instead of X and K, the largest difference that rounding can explain: one number,
            or an array of the results' shape (:mod:`d2lconv.parity.bounds` has several).

    Returns:
        A :class:`Comparison`. Its verdict is "identical" if all bits are the same; "rounding" if
        every difference is within the bound; else "bug". Without X, K and bound the claim is that
        the bits are the same, so that every difference is a bug. Results of different shapes are a
        bug. Where the verdict is "bug" and X and K are given, the true value of the worst element
        is computed in exact rational arithmetic, and the reason says which result is off.

    Raises:
        ShapeError: X and K do not give results of this shape, or bound has another shape.
        ArgumentError: Of X and K only one is given, or both and bound, or bound is negative or NaN.
        DTypeError: An argument is complex, text, or something else that is no number.

    Source:
        Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., chapter 3.

    Example:
        >>> import numpy as np
        >>> X, K = np.float32([[0.1, 0.2, 0.3]]), np.float32([[1, 1, 1]])
        >>> compare(np.float32([[0.6]]), np.float32([[0.6000001]]), X=X, K=K).verdict
        'rounding'
        >>> compare(np.float32([[0.6]]), np.float32([[0.61]]), X=X, K=K).verdict
        'bug'
    """
    a, e = data.detached(actual, "actual"), data.detached(expected, "expected")
    if bound is not None and not (X is None and K is None):
        raise ArgumentError("bound is given, and X and K too: give either bound, or X and K.")
    if (X is None) != (K is None):
        missing = "K" if K is None else "X"
        raise ArgumentError(f"{missing} is missing: a cross-correlation's bound takes X and K.")
    if bound is not None:
        allowed = _allowed(bound, e.shape)
    elif X is not None:
        allowed = _rounding(a, e, X, K)
    else:
        allowed = np.zeros(e.shape)
    if a.shape != e.shape:
        reason = f"the shapes differ: {a.shape} is not {e.shape}"
        return Comparison(False, None, math.inf, None, "bug", reason)
    if same_bits(a, e):
        reason = f"all {a.size:,} elements have the same bits"
        return Comparison(True, 0, 0.0, None, "identical", reason, np.zeros(a.shape))
    equal, shares = _shares(a, e, allowed)
    share = float(shares.max(initial=0))
    if equal.all():
        differ = "types" if a.dtype != e.dtype else "signs of zeros"
        reason = f"the values are equal, only the {differ} differ"
        verdict = "bug" if X is None and bound is None else "rounding"
        if a.dtype != e.dtype:
            reason += f": {a.dtype} is not {e.dtype}"
        return Comparison(False, 0, share, None, verdict, reason, shares)
    # Where all shares are 0, the bound is infinite wherever the values differ.
    place = int(shares.argmax() if share > 0 else np.argmin(equal))
    worst = tuple(map(int, np.unravel_index(place, shares.shape)))
    ulp = _largest_ulp(a, e)
    verdict = "rounding" if share <= 1 else "bug"
    reason = f"at {worst}, {a[worst]!s} is not {e[worst]!s}"
    if X is None and bound is None:
        reason += ", and nothing may differ"
    elif math.isinf(allowed[worst]):
        reason += "; the bound is infinite there, so that nothing can be told"
    else:
        reason += f"; rounding explains {allowed[worst]:.3g}, and this is {_times(share)} that"
    if verdict == "bug" and X is not None:
        reason += _blame(a, e, X, K, worst)
    return Comparison(False, ulp, share, worst, verdict, reason, shares)


def _rounding(a: Any, e: Any, X: Any, K: Any) -> Any:
    """The bound of a cross-correlation, for either result in its own type, added."""
    allowed = np.zeros(e.shape)
    for result in (a, e):  # it is checked even if it will not be needed: a mistake shows at once
        finite, overflow = bounds.corr2d_parts(X, K, result.dtype)
        if finite.shape != e.shape:
            raise ShapeError(
                f"X and K give results of shape {finite.shape}, but expected has the shape "
                f"{e.shape}. Give the operands that the results come from."
            )
        if result.shape == e.shape:
            allowed += np.where(overflow & ~np.isfinite(result), math.inf, finite)
    return allowed


def _allowed(bound: Any, shape: tuple[int, ...]) -> Any:
    native = selection.backend_of(bound) is not None
    allowed = data.detached(bound, "bound") if native else data.neutral(bound, "bound")[0]
    allowed = allowed.astype(np.float64)
    if allowed.size == 1:
        allowed = np.full(shape, allowed.reshape(()))
    if allowed.shape != shape:
        raise ShapeError(
            f"bound has the shape {allowed.shape}; it must be one number, or of the shape of "
            f"expected, {shape}."
        )
    if not (allowed >= 0).all():
        raise ArgumentError("bound has a negative element or NaN; all must be at least 0.")
    return allowed


def _shares(a: Any, e: Any, allowed: Any) -> tuple[Any, Any]:
    """Where the values are equal, and each difference as a share of what is allowed there."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        a, e = a.astype(np.float64), e.astype(np.float64)
        equal = (a == e) | (np.isnan(a) & np.isnan(e))
        difference = np.abs(a - e)
        # Between NaN and a number, or infinity and a number, the distance is infinite; the
        # difference of two float64 numbers can overflow, but then it is above any finite bound.
        difference = np.where(np.isnan(difference), math.inf, difference)
        shares = np.where(np.isinf(allowed), 0.0, difference / np.where(equal, 1, allowed))
    return equal, np.where(equal, 0.0, shares)


def _largest_ulp(a: Any, e: Any) -> int:
    """The largest distance in ulp of the coarser type."""
    coarser = min(a.dtype, e.dtype, key=lambda dtype: dtype.itemsize)
    with np.errstate(over="ignore"):
        return int(ulp_distance(a.astype(coarser), e.astype(coarser)).max())


def _times(share: float) -> str:
    if math.isinf(share):
        return "infinitely often"
    return f"{share:.2g} times" if share < 1000 else f"{share:,.0f} times"


def _blame(a: Any, e: Any, X: Any, K: Any, worst: tuple[int, ...]) -> str:
    """Which of the two results is further from the true value of an element than its bound."""
    X, K = data.detached(X, "X"), data.detached(K, "K")
    i, j = worst
    window = X[i : i + K.shape[0], j : j + K.shape[1]]
    if not (np.isfinite(window).all() and np.isfinite(K).all()):
        return ""
    products = (
        Fraction(float(x)) * Fraction(float(k)) for x, k in zip(window.flat, K.flat, strict=True)
    )
    true = sum(products, Fraction(0))
    off = []
    for name, result in (("actual", a), ("expected", e)):
        finite, overflow = (part[0, 0] for part in bounds.corr2d_parts(window, K, result.dtype))
        value = float(result[worst])
        far = not overflow
        if math.isfinite(value):
            far = abs(Fraction(value) - true) > float(finite)
        if far:
            off.append(name)
    # The difference is larger than the sum of the two bounds, so one at least is beyond its own.
    return f". The true value is {float(true)!r}, so {' and '.join(off)} is wrong"
