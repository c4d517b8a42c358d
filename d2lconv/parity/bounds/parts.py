"""The bound of a sum of products, in parts: what is finite, and where it may overflow."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.parity.bounds.roundoff import gammas, largest, underflow
from d2lconv.parity.terms import Terms
from d2lconv.parity.values import Values

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """A bound in parts, for who knows the result.

    An infinity or NaN stays one through all further additions. So a finite result had no overflow
    on its way, and obeys the bound of the rounding even where another order may overflow.

    Attributes:
        finite: The bound of a finite result.
        overflow: Where an infinity or NaN may be another order's overflow.
        infinite: Where an operand is infinite, so that compensated summation gives NaN.
    """

    finite: Array
    overflow: Mask
    infinite: Mask

    def any_result(self) -> Array:
        """The bound of a result that is not known: infinite where an order may overflow."""
        return np.where(self.overflow, math.inf, self.finite)

    def of(self, result: Any) -> Array:
        """The bound of this result: infinite where it is an infinity or NaN that may be honest."""
        special = self.overflow & ~np.isfinite(result) | self.infinite & np.isnan(result)
        return np.where(special, math.inf, self.finite)


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def of_terms(
    terms: Terms, dtype: str, accumulator: str | None = None, rounded_to: str | None = None
) -> Parts:
    """How far sums of these terms can be from the true ones, for each of them.

    Args:
        terms: The terms.
        dtype: The type of the results.
        accumulator: The type in which the terms are added up, if it is not that of the results:
            then every term carries its roundings in that type, and one to the type of the results.
        rounded_to: A narrower type to which the operands were rounded before, or cut off, which
            is up to two unit roundoffs of it for either of them.
    """
    A, B, bias = terms.A.wide(), terms.B.wide(), terms.offset
    ones_A, ones_B = np.ones_like(A), np.ones_like(B)
    rounded = narrowed(terms.A, dtype) + narrowed(terms.B, dtype)
    if terms.bias is not None:
        rounded = max(rounded, narrowed(terms.bias, dtype))
    n = terms.count
    if accumulator is None or accumulator == dtype:
        roundings = [(n + rounded, dtype)]
    else:
        roundings = [(n, accumulator), (1 + rounded, dtype)]
    if rounded_to is not None:
        roundings.append((4, rounded_to))
    g = gammas(*roundings)
    # Computing S, gamma and their product in float64 takes less than n + 8 roundings.
    S = terms.size * (1 + 8 * n * 2.0**-53)
    once = max(underflow(dtype), underflow(accumulator or dtype))
    bound = np.where(S > 0, g * S, 0) + 2 * n * once * (1 + g)
    most = min(largest(dtype), largest(accumulator or dtype))
    overflow = ~(S * (1 + g) < most)
    if rounded_to == "float16":  # an operand may be beyond it, or below
        overflow |= _anywhere(terms, *(np.abs(t) >= largest("float16") for t in (A, B)))
        least = 2 * underflow("float16")
        bound = bound + least * (terms.sums(ones_A, _finite(B)) + terms.sums(_finite(A), ones_B))
    lost_A, lost_B, lost = (_lost(t, dtype) for t in (A, B, bias))
    if lost_A.any() or lost_B.any() or lost.any():
        size_A, size_B = _finite(A), _finite(B)
        bound = bound + (terms.sums(lost_A, size_B) + terms.sums(size_A, lost_B) + lost) * (1 + g)
        # Infinity times a subnormal number is infinite, or NaN where that is flushed.
        overflow |= terms.sums(lost_A, _special(B)) + terms.sums(_special(A), lost_B) > 0
    overflow |= _anywhere(terms, beyond(A, dtype), beyond(B, dtype))
    overflow |= beyond(bias, dtype) > 0
    infinite = _anywhere(terms, np.isinf(A), np.isinf(B)) | np.isinf(bias)
    return Parts(bound, overflow, infinite)


def _anywhere(terms: Terms, A: Any, B: Any) -> Mask:
    """The sums that have an element of A or of B that is marked."""
    found = np.zeros(terms.shape, np.bool_)
    if A.any():
        found |= terms.sums(A.astype(np.float64), np.ones(B.shape)) > 0
    if B.any():
        found |= terms.sums(np.ones(A.shape), B.astype(np.float64)) > 0
    return found


def narrowed(operand: Values, dtype: str) -> int:
    """Whether an operand has to be rounded to the type, as a number of roundings: 0 or 1."""
    return int(not operand.held_by(dtype).all())


def _lost(A: Array, dtype: str) -> Array:
    """What of each operand underflow can take: all where it is flushed, else what is rounded."""
    size = np.where(np.abs(A) < float(np.finfo(dtype).tiny), np.abs(A), 0)
    kept = size.astype(dtype).astype(np.float64) if dtype == "float16" else 0.0
    lost: Array = np.abs(size - kept)
    return lost


def beyond(A: Array, dtype: str) -> Array:
    """1 where an operand is too large for the type, else 0."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        beyond: Array = np.where(np.isfinite(A) & np.isinf(A.astype(dtype)), 1.0, 0.0)
        return beyond


def _finite(A: Array) -> Array:
    return np.where(np.isfinite(A), np.abs(A), 0)


def _special(A: Array) -> Array:
    return np.where(np.isfinite(A), 0.0, 1.0)
