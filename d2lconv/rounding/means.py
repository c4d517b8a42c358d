"""Sums divided by integers, correctly rounded: the true quotient, rounded once.

Let S be the sum of a row's n terms, A that of their sizes, c the divisor, q = S/c and u = 2**-53.
The terms are float16 or float32 numbers times integers up to 2**28, hence float64 numbers.

1. **In float64.** S is computed, in any order, and divided by c. The result is off by (n-1)*u*A/c
   and u*A/c at most, products of errors aside, and its difference to E and sum with E is rounded by
   u*A/c. So with E = (n + 4)*u*A/c, q lies between the two: (n + 1)*u*A/c is needed, and for n <
   2**26 the other 3*u*A/c are more than the products of errors and the rounding of A and E. If the
   two round to the same number, so does q (Ziv's test, see :mod:`d2lconv.rounding.certificate`).
2. **Else from the correctly rounded S** (:func:`d2lconv.rounding.settle.settle_sum`), unless the
   two are neighbours already. S is off by u*|S| then, its quotient by a further u*|q|. If q*(1 -
   4*u) and q*(1 + 4*u) round to the same number, so does the true one; that is so where S is 0,
   infinite or NaN. Otherwise they are neighbours, as midpoints are more than 8*u*|q| apart.
3. **Between neighbours** there is one midpoint M; beyond the largest number, that is the limit of
   overflow, half way to the power of two after it. M has 25 bits, so that c*M is a float64, and the
   exact sum of S and -c*M, of which only the sign is wanted, tells on which side of M the quotient
   is. Where it is 0, q is the midpoint, and rounds to even.

float64 terms, larger integers: in rational arithmetic, which is slow.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.rounding import integers
from d2lconv.rounding.round import LIMITS, floating, narrow, same, two_sum, widen
from d2lconv.rounding.settle import LONGEST, settle_sum

Array = NDArray[np.float64]
U = 2.0**-53
LARGEST = 2**28  # integers whose products with 25 bits are float64 numbers
TERMS_AT_ONCE = 2**17  # 1 MiB of float64


def quotients(terms: Any, divisors: Any, *, multiples: Any = None) -> NDArray[Any]:
    """The sum of each row, divided by an integer, correctly rounded to the terms' type.

    Args:
        terms: Shape (m, n); float16, float32 or float64.
        divisors: Positive integers, one for each row or one for all.
        multiples: Integers of 0 or more by which the terms are multiplied, exactly, if given: of a
            shape that can be broadcast to (m, n).

    Returns:
        Shape (m,), of the terms' type. A sum of -0 alone gives -0; so does a negative quotient that
        is rounded to 0.

    Raises:
        DTypeError: The terms are of no floating type.
        ShapeError: The terms are no matrix, or rows of 2**26 terms or more.
        ArgumentError: A divisor is not positive.

    Example:
        >>> quotients(np.float32([[1, 2, 2], [1, 0, 0]]), 3)
        array([1.6666666 , 0.33333334], dtype=float32)
    """
    terms = np.asarray(terms)
    dtype = floating(terms.dtype)
    if terms.ndim != 2 or terms.shape[1] >= LONGEST:
        raise ShapeError(
            f"the terms have shape {terms.shape}; give a matrix, one row for each sum, of less "
            f"than {LONGEST} terms each."
        )
    m, n = terms.shape
    divisors = np.broadcast_to(np.asarray(divisors), (m,))
    if (divisors < 1).any():
        raise ArgumentError(f"a divisor is {divisors.min()}; divide by positive integers.")
    largest = int(divisors.max(initial=1))
    if multiples is not None:
        multiples = np.broadcast_to(np.asarray(multiples), (m, n))
        largest = max(largest, int(multiples.max(initial=1)))
    find = _exactly if dtype == np.float64 or largest > LARGEST else _quickly
    values, step = np.empty(m, dtype), max(1, TERMS_AT_ONCE // max(1, n))
    for start in range(0, m, step):
        rows = slice(start, start + step)
        some = widen(terms[rows]), None if multiples is None else multiples[rows], divisors[rows]
        values[rows] = find(*some, dtype)
    return values


@np.errstate(all="ignore")
def sums_of(terms: Callable[[], Iterable[Array]], divisors: Any, dtype: Any) -> NDArray[Any]:
    """As :func:`quotients`, for terms that are given one after the other, as arrays of one shape.

    So few terms are added much faster than along the rows of a matrix.

    Args:
        terms: Gives the arrays, anew for each call: float64, and each a float16 or float32 number
            times an integer of up to 2**28.
        divisors: Positive integers of up to 2**28, of a shape that can be broadcast to the arrays'.
        dtype: The result's: float16 or float32.

    Example:
        >>> sums_of(lambda: [np.float64([1, 1]), np.float64([2, 0]), np.float64([2, 0])], 3, "f4")
        array([1.6666666 , 0.33333334], dtype=float32)
    """
    dtype, (first, *others) = floating(dtype), terms()
    total, size = first.copy(), np.abs(first)
    for term in others:
        total += term
        size += np.abs(term)
    q, E = total / divisors, size * ((len(others) + 5) * U) / divisors
    low, values = narrow(q - E, dtype), narrow(q + E, dtype)
    zero = size == 0
    undecided = ~(same(low, values) | zero)
    values[zero] = total[zero]  # nothing but zeros, whose sum has the right sign
    if undecided.any():
        columns = [term[undecided] for term in (first, *others)]
        each = np.broadcast_to(divisors, total.shape)[undecided]
        values[undecided] = _settled(columns, each, low[undecided], values[undecided])
    return values


def _settled(columns: list[Array], divisors: Any, low: Any, high: Any) -> NDArray[Any]:
    """Step 3, where S is a float64 number: then only c*M has to be compared with it.

    That is so where no addition has an error, as most often where a mean is a midpoint: a few
    numbers of like size have a sum of few bits. The rest goes through all steps.
    """
    S, exact = columns[0], np.ones(low.shape, np.bool_)
    for column in columns[1:]:
        S, error = two_sum(S, column)
        exact &= error == 0
    between = exact & _adjacent(low, high)
    values: NDArray[Any] = np.empty_like(low)
    if between.any():
        ends = low[between], high[between]
        values[between] = _nearer(S[between] - divisors[between] * _midpoint(*ends), *ends)
    rest = ~between
    if rest.any():
        rows = np.stack([column[rest] for column in columns], -1)
        values[rest] = _quickly(rows, None, divisors[rest], low.dtype)
    return values


@np.errstate(all="ignore")
def _quickly(terms: Array, multiples: Any, divisors: Any, dtype: Any) -> NDArray[Any]:
    """Steps 1 to 3 of the module's text."""
    if multiples is not None:
        terms = terms * multiples
    size = np.abs(terms).sum(axis=1)
    q, E = terms.sum(axis=1) / divisors, size * ((terms.shape[1] + 4) * U) / divisors
    low, values = narrow(q - E, dtype), narrow(q + E, dtype)
    undecided = ~same(low, values) | (size == 0)
    between = undecided & _adjacent(low, values)
    left = np.flatnonzero(undecided & ~between)
    if len(left):
        q = settle_sum(terms[left], np.float64).values / divisors[left]
        low[left], values[left] = narrow(q * (1 - 4 * U), dtype), narrow(q * (1 + 4 * U), dtype)
        between[left] = ~same(low[left], values[left]) & ~np.isnan(q)
    if between.any():
        ends = low[between], values[between]
        values[between] = _beside(terms[between], divisors[between], *ends)
    return values


def _adjacent(a: Any, b: Any) -> NDArray[np.bool_]:
    """Where two numbers of float16 or float32 are neighbours of the same sign, by their bits."""
    first, second = (x.view(f"i{x.itemsize}").astype(np.int64) for x in (a, b))
    found: NDArray[np.bool_] = np.abs(first - second) == 1
    return found


def _beside(terms: Array, divisors: Any, one: Any, other: Any) -> NDArray[Any]:
    """Step 3: which of two adjacent numbers the quotients round to."""
    terms = np.column_stack([terms, -divisors * _midpoint(one, other)])
    return _nearer(settle_sum(terms, np.float64).values, one, other)


def _midpoint(one: Any, other: Any) -> Array:
    """M: what lies half way, or the limit of overflow."""
    limit = 2.0 ** LIMITS[one.dtype].maxexp
    a, b = (np.clip(widen(end), -limit, limit) for end in (one, other))
    found: Array = (a + b) / 2
    return found


def _nearer(rest: Any, one: Any, other: Any) -> NDArray[Any]:
    """Which of two adjacent numbers is nearer, by the sign of what is left of S less c*M."""
    rises = widen(one) < widen(other)
    larger, smaller = np.where(rises, other, one), np.where(rises, one, other)
    even = narrow(_midpoint(one, other), one.dtype)
    found: NDArray[Any] = np.select([rest > 0, rest < 0], [larger, smaller], even)
    return found


def _exactly(terms: Array, multiples: Any, divisors: Any, dtype: Any) -> NDArray[Any]:
    """In rational arithmetic, row by row."""
    if multiples is None:
        multiples = np.ones(terms.shape, np.int64)
    values = settle_sum(np.where(multiples == 0, 0.0, terms), np.float64).values  # not finite, or 0
    for row in np.flatnonzero(np.isfinite(terms).all(axis=1)):
        pairs = zip(terms[row].tolist(), multiples[row].tolist(), strict=True)
        total = sum((Fraction(t) * int(i) for t, i in pairs), Fraction(0)) / int(divisors[row])
        if total:
            values[row] = integers.quotient(total.numerator, total.denominator, dtype)
        elif values[row] != 0:
            values[row] = 0.0  # with other multiples, it is not
    return narrow(values, dtype)
