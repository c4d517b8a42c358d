"""Sums and sums of products, correctly rounded: the true value, rounded once.

A row of terms p[1..n] of float64 is added as follows (Rump, Ogita and Oishi, "Accurate
floating-point summation part I: faithful rounding", SIAM Journal on Scientific Computing 31 (2008),
189-224, section 3, whose extraction this is). Here u = 2**-53, fl() rounds to float64 to nearest,
and all of it is done for many rows at once.

**1. Extraction.** Choose 2**M >= n + 2, a power of two P > max |p[i]|, and s = 2**M * P. Compute

    q[i] = fl(fl(s + p[i]) - s)        r[i] = fl(p[i] - q[i])

- |p[i]| <= s/4, so s + p[i] lies in [3/4 s, 5/4 s], where float64 numbers are multiples of g = u*s
  and at most 2*g apart. So fl(s + p[i]) is a multiple of g, at most g from s + p[i].
- fl(s + p[i]) - s is exact, since the two are within a factor of two of each other (Sterbenz). So
  q[i] is a multiple of g, and |p[i] - q[i]| <= g.
- r[i] is exact: it is the rounding error of the sum of s and p[i], |s| >= |p[i]|, which is a
  float64 (Dekker). So p[i] = q[i] + r[i], and |r[i]| <= g.
- |q[i]| <= P: s - P and s + P are float64 numbers (M < 53), and rounding keeps the order.

If g is below 2**-1074, then s < 2**-1021, where all float64 numbers are multiples of 2**-1074 and
their sums are exact: q[i] = p[i] and r[i] = 0. A row whose s would overflow goes to step 5.

**2. The sum T of the q[i] is exact in any order**: every partial sum is a multiple of g of size
at most n * P < s = 2**53 * g, and every such number is a float64.

**3. The rest** R is the sum of the r[i]. If they all are 0, the sum is T, exactly, and only has to
be rounded: ties are settled here. Otherwise let m = max |r[i]| and let R' be the computed sum. Then
|R' - R| <= (n-1)*u / (1 - (n-1)*u) * n*m (Higham, *Accuracy and Stability of Numerical Algorithms*,
section 4.2; there is no term for underflow, as sums of float64 do not underflow). With n < 2**26,

    |R' - R| < d/2     with d = n*n * 2*u * m,

since (n-1) / (1 - (n-1)*u) < n. The computed d is no less than d/2: it is rounded twice by a factor
of 1 - u at least, or it is subnormal and off by 2**-1075 at most, where d itself is 2**-1074 or
more. If d is less than that, the error, a multiple of 2**-1074 as all the r[i] are, is 0. So

    low <= R <= high     with low = down(R' - d), high = up(R' + d),

where down and up step to the next float64 after rounding, hence to the outer side of the exact
difference and sum. If T + low and T + high round to the same number, so does T + R, since rounding
keeps the order.

**4. Else extract again**, from r[1..n]. The sums T of the extractions are kept as the exact sum of
two float64 numbers, high and low, by error-free additions; low joins R' - d and R' + d, rounded
outwards again. One extraction takes at least 52 - M bits from the largest term, so every row comes
to an end: to a decision, to a rest of 0, or to a T that two float64 numbers cannot hold.

**5. What is then left**, and rows near the ends of float64, are added as integers.

Rounding to the wanted type is once, also for subnormal results and overflow: see
:mod:`d2lconv.rounding.round`. It is never the sum in float64 that is rounded again.

**Products.** float16 and float32 have 11 and 24 bits, so that a product has at most 48, and its
size, if it is not 0, is from 2**-298 to 2**256: a float64, exactly. A product of two float64 is
split into the sum of two (Dekker's product) where the error is one; see :func:`_two_products`.

**Zero, infinity and NaN**, as the sum of products has them by IEEE 754: where the true value is 0,
the result is +0, unless all terms are -0: then it is -0. A value that is rounded to 0 keeps its
sign. A NaN among the terms (infinity times 0 is one), or infinities of both signs, give NaN;
infinities of one sign give it. Products of finite numbers are finite, also those beyond float64.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import DTypeError, ShapeError
from d2lconv.rounding import integers
from d2lconv.rounding.counts import Counts, Settled
from d2lconv.rounding.round import TYPES, floating, round_pair, same, two_sum, widen

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
LONGEST = 2**26  # the proof is for rows that are shorter than this
TERMS_AT_ONCE = 2**15  # 256 KiB of float64: stays in a core's second cache


def settle(x: Any, k: Any, dtype: Any, *, bias: Any = None) -> Settled:
    """The sum of the products of each row of x with the same row of k, correctly rounded.

    Args:
        x: Shape (m, n): a row for each element of the result, its n factors; float16, float32 or
            float64. All operands are taken as the exact numbers that they are.
        k: The other factors, of a shape that can be broadcast to (m, n).
        dtype: The type of the result: float16, float32 or float64.
        bias: One more term for each row, if given: shape (m,), or what can be broadcast to it.

    Returns:
        The values, of shape (m,), and how many were found in which way.

    Raises:
        ShapeError: x is no matrix, or k or the bias does not fit it.
        DTypeError: A type is none of float16, float32 and float64.

    Note:
        float64 operands take twice the terms, and three to four times the time of float32;
        factors beyond 2**995, and products below 2**-960, take a hundred times it.

    Example:
        >>> x = np.float32([[1, 2**-24, 0], [1, 2**-24, 2**-60]])  # a tie, and beside one
        >>> settle(x, np.float32([1, 1, 1]), "float32").values
        array([1.       , 1.0000001], dtype=float32)
    """
    dtype = floating(dtype)
    x, k = np.asarray(x), np.asarray(k)
    offset = np.asarray(0.0 if bias is None else bias)
    _check(x, k, offset)
    k = _spread("k", k, x.shape)
    offset = offset if bias is None else widen(_spread("the bias", offset, x.shape[:1]))
    wide = np.float64 in (x.dtype, k.dtype)
    values, counts = np.empty(len(x), dtype), Counts()
    for rows in _pieces(*x.shape):
        a, b = widen(x[rows]), widen(k[rows])
        if bias is not None and wide:
            a = np.concatenate([a, offset[rows, None]], axis=1)
            b = np.concatenate([b, np.ones((len(b), 1))], axis=1)
        if wide:
            values[rows], more = _wide(a, b, dtype)
        else:
            terms = _times(a, b)
            if bias is not None:
                terms = np.concatenate([terms, offset[rows, None]], axis=1)
            values[rows], more = _settle(terms, dtype)
        counts += more
    return Settled(values, counts)


def settle_sum(terms: Any, dtype: Any) -> Settled:
    """The sum of each row, correctly rounded.

    Args:
        terms: Shape (m, n); float16, float32 or float64.
        dtype: The type of the result: float16, float32 or float64.

    Returns:
        The values, of shape (m,), and how many were found in which way.

    Raises:
        ShapeError: The terms are no matrix.
        DTypeError: A type is none of float16, float32 and float64.

    Example:
        >>> settle_sum(np.float64([[1e300, 1, -1e300], [0.1, 0.2, -0.3]]), "float64").values
        array([1.00000000e+00, 2.77555756e-17])
    """
    dtype = floating(dtype)
    terms = np.asarray(terms)
    _check(terms)
    values, counts = np.empty(len(terms), dtype), Counts()
    for rows in _pieces(*terms.shape):
        values[rows], more = _settle(widen(terms[rows]), dtype)
        counts += more
    return Settled(values, counts)


def _check(terms: NDArray[Any], *others: NDArray[Any]) -> None:
    """All arrays are of floating types, and the first is a matrix that is not too wide."""
    for array in (terms, *others):
        if array.dtype not in TYPES:
            raise DTypeError(
                f"an array is of {array.dtype}; give numbers of float16, float32 or float64."
            )
    if terms.ndim != 2 or terms.shape[1] >= LONGEST:
        raise ShapeError(
            f"the terms have shape {terms.shape}; give a matrix, one row for each sum, of less "
            f"than {LONGEST} terms each."
        )


def _spread(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The array, broadcast to a shape."""
    if array.shape == shape:
        return array
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ShapeError(
            f"{name} has shape {array.shape}; give one that can be broadcast to {shape}."
        ) from None


def _pieces(m: int, n: int) -> list[slice]:
    """Runs of rows with not many more than TERMS_AT_ONCE terms each."""
    step = max(1, TERMS_AT_ONCE // max(1, n))
    return [slice(start, start + step) for start in range(0, m, step)]


@np.errstate(all="ignore")
def _times(a: Array, b: Array) -> Array:
    """The products, without warnings of infinity times 0."""
    return np.multiply(a, b, out=a)


@np.errstate(all="ignore")
def _settle(terms: Array, dtype: np.dtype[Any]) -> Settled:
    """Steps 1 to 5 of the module's text, for rows of float64 terms."""
    n = terms.shape[1]
    values = np.empty(len(terms), dtype)
    if not n:
        return Settled(np.zeros_like(values), Counts(zero_rest=len(values)))
    top = np.abs(terms).max(axis=1)
    bits = int(n + 1).bit_length()  # 2**bits >= n + 2
    exponents = np.frexp(top)[1] + bits
    plain = (top > 0) & (exponents <= 1023) & np.isfinite(top)
    rows, stuck = np.flatnonzero(plain), []
    found = {"one": 0, "more": 0, "exact": 0, "not finite": 0}
    p = terms
    if len(rows) < len(terms):
        finite, zero = np.isfinite(top), top == 0
        values[~finite] = _not_finite(terms[~finite])
        values[zero] = np.where(np.signbit(terms[zero]).all(axis=1), -0.0, 0.0)
        found |= {"exact": int(zero.sum()), "not finite": int((~finite).sum())}
        stuck.append(np.flatnonzero(finite & ~zero & ~plain))
        p, exponents = terms[rows], exponents[rows]
    high = low = np.zeros(len(rows))
    step = "one"
    while len(rows):
        s = np.ldexp(1.0, exponents)[:, None]
        q = p + s
        q -= s
        p = p - q
        high, low, lost = _add(high, low, q.sum(axis=1))
        top = np.abs(p, out=q).max(axis=1)
        exact = ~lost & (top == 0)
        rest, d = p.sum(axis=1), top * (n * n * 2.0**-52)
        least = np.where(exact, low, _down(_down(rest - d) + low))
        most = np.where(exact, low, _up(_up(rest + d) + low))
        value, other = round_pair(high, np.stack([least, most]), dtype)
        done = ~lost & same(value, other)
        values[rows[done]] = value[done]
        found["exact"] += int(exact.sum())
        found[step] += int((done & ~exact).sum())
        if done.all():
            break
        stuck.append(rows[lost])
        on = ~(done | lost)
        rows, p, high, low = rows[on], p[on], high[on], low[on]
        exponents = np.frexp(top[on])[1] + bits
        step = "more"
    left = np.concatenate(stuck) if stuck else rows[:0]
    if len(left):
        values[left] = integers.dots(terms[left], np.ones((len(left), n)), dtype)
    counts = Counts(
        one_extraction=found["one"],
        more_extractions=found["more"],
        zero_rest=found["exact"],
        integers=len(left),
        not_finite=found["not finite"],
    )
    return Settled(values, counts)


def _add(high: Array, low: Array, term: Array) -> tuple[Array, Array, Mask]:
    """The sum of three numbers as the exact sum of two, and where there are no such two."""
    t, e1 = two_sum(low, term)
    high, e2 = two_sum(high, t)
    low, e3 = two_sum(e1, e2)
    return high, low, e3 != 0


def _down(x: Array) -> Array:
    return np.nextafter(x, -np.inf)


def _up(x: Array) -> Array:
    return np.nextafter(x, np.inf)


def _not_finite(terms: Array) -> Array:
    """The sums of rows that have an infinity or a NaN."""
    total = np.where(np.isfinite(terms), 0.0, terms).sum(axis=1)
    return np.where(np.isnan(total), np.nan, total)  # the NaN of one sign


@np.errstate(all="ignore")
def _wide(a: Array, b: Array, dtype: np.dtype[Any]) -> Settled:
    """The sums of products of float64 operands."""
    high, low, split = _two_products(a, b)
    finite = (np.isfinite(a) & np.isfinite(b)).all(axis=1)
    values = np.empty(len(a), dtype)
    values[split], counts = _settle(np.concatenate([high[split], low[split]], axis=1), dtype)
    infinite = np.where(np.isfinite(a) & np.isfinite(b), 0.0, high)  # and not what overflows
    values[~finite] = _not_finite(infinite[~finite])
    left = np.flatnonzero(finite & ~split)
    values[left] = integers.dots(a[left], b[left], dtype)
    return Settled(values, counts + Counts(integers=len(left), not_finite=int((~finite).sum())))


def _two_products(a: Array, b: Array) -> tuple[Array, Array, Mask]:
    """Products of float64 as exact sums, high + low; and in which rows all of them are that.

    Dekker's product is exact if nothing overflows and the last bits of the factors, multiplied, are
    no less than 2**-1074 (*Handbook of Floating-Point Arithmetic*, 2nd ed., section 4.4.2). With
    |a|, |b| <= 2**995, a factor times 2**27 + 1 does not overflow, and with |a*b| <= 2**995 no
    product does. With |a*b| >= 2**-960 the exponents of a and b have a sum of -961 at least, and
    their last bits, 52 places further on at most, a product of 2**-1065 at least. (|a*b| rounded is
    what can be compared, and rounding keeps the order.) Where a or b is 0, both parts are the
    product itself, with its sign.
    """
    high = a * b
    size = np.abs(high)
    zero = ((a == 0) | (b == 0)) & ~np.isnan(high)
    small = (np.abs(a) <= 2.0**995) & (np.abs(b) <= 2.0**995)
    good = zero | (small & (size >= 2.0**-960) & (size <= 2.0**995))
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    low = a2 * b2 - (((high - a1 * b1) - a2 * b1) - a1 * b2)
    return high, np.where(zero, high, low), good.all(axis=1)


def _halves(x: Array) -> tuple[Array, Array]:
    """Veltkamp's splitting: x as the sum of two numbers of 26 bits each."""
    scaled = x * (2.0**27 + 1)
    first = scaled - (scaled - x)
    return first, x - first
