"""Which float64 results are near enough to the true value to be rounded: Ziv's rounding test.

**The question.** Y is a sum of n products x[i]*k[i], added in float64; t is the true sum. If every
number from Y - E to Y + E rounds to the same float32, and |Y - t| <= E, then so does t, and Y need
not be any better. (A. Ziv, "Fast evaluation of elementary mathematical functions with correctly
rounded last bit", ACM Transactions on Mathematical Software 17 (1991), 410-423.)

**E, line by line.** Let u = 2**-53, and g = n*u / (1 - n*u).

1. *Products are exact.* The factors are float16 or float32 numbers, so that a product has at most
   48 bits, and lies from 2**-298 to 2**256 in size if it is not 0: a float64.
2. *Additions, in any order.* Each addition is off by a factor 1 + d, |d| <= u; also where the
   result is subnormal, for then it is exact. Nothing overflows. In any order, on any tree, in any
   number of parallel parts, a term passes n - 1 additions at most, or n if a sum starts from 0
   (that addition is exact). If it is known to pass no more than m, because the sum is added in
   parts, then m may stand for n from here on, but for line 4. A fused multiply-add rounds as its
   addition does, since the product is exact anyway. So |Y - t| <= g * S with S the sum of
   |x[i]*k[i]| (Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 3.1 and
   equation 4.4).
3. *Cauchy and Schwarz.* S <= |x|*|k|, the product of the Euclidean norms of the rows. So with N =
   |x|*|k|: |Y - t| <= g*N. Besides, |Y| <= |t| + g*N <= (1 + g)*N.
4. *The norms are rounded.* A square is a product of two float32, exact. A sum of n of them, none
   negative, in any order, is at least (1 - g) times the true one; its square root, off by a factor
   of 1 - 2*u at worst, at least (1 - g)**(1/2) * (1 - 2*u) times the norm. So the computed norms
   have a product of (1 - g) * (1 - 2*u)**2 * N at least. Greater norms do no harm. So with m for
   n, or with norms of more than n squares, the computed norms are multiplied by ENLARGED = 1 +
   2**-20, which is more than adding up to 2**32 squares takes from them: then they are no less
   than the true ones.
5. *Y - E and Y + E are rounded*, to L and H. For L <= t <= H, which is what is needed, it suffices
   that E*(1 - u) >= g*N + u*|Y|, since |L - (Y - E)| <= u*(|Y| + E), and likewise for H. With line
   3, it suffices that E*(1 - u) >= (g + u + u*g) * N. And g + u + u*g = (n+1)*u / (1 - n*u).
6. *E is rounded.* E = c * (a * b), with a and b the computed norms, loses a factor (1 - u)**2 at
   most, and one more where |bias| is added. No step underflows: the least norm other than 0 is
   2**-149. Fused or in another order, the three are rounded no more often. With lines 4 and 5 it
   suffices that

       c * (1 - g) * (1 - 2*u)**2 * (1 - u)**4 >= (n+1)*u / (1 - n*u).

7. *c.* Since 1 - g = (1 - 2*n*u) / (1 - n*u), and (1 - 2*u)**2 * (1 - u)**4 >= 1 - 8*u, it suffices
   that c >= (n+1)*u / ((1 - 2*n*u) * (1 - 8*u)). We take

       c = error_factor(n) = (n + 2)*u / (1 - 2*n*u),

   which is greater by a factor (n+2)/(n+1) * (1 - 8*u). It remains 1 + 12*u or more for n <= 2**40,
   and computing c rounds off by less than a factor 1 - 4*u.

With a **bias**, which is one term more: n + 1 in the place of n, and E = c * (a * b + |bias|). Line
3 holds with N = |x|*|k| + |bias|, and the rest as it is.

**What it excludes**, because it is no sum of these products in some order: Winograd's and other
fast convolutions, Strassen's product, FFT; factors that were rounded before (TF32, bfloat16);
float64 that is emulated with less than IEEE 754's precision; norms that are found by subtracting
running sums from each other (line 4 needs sums without negative terms). n counts all products of a
sum, those with padding too.

**Zero and what is smaller than any normal number.** Where L and H round to zeros of different sign,
the element is undecided. Where E is 0, all products are 0, and the sum is +0 unless all products
are -0, which Y does not show if it was added to +0. So that is undecided too, unless the caller
knows: see :func:`zeros_are_positive`. A processor or compiler that flushes subnormal float32 to
zero, as XLA does, must not do the cast of L and H: its user has to count every element as undecided
for which |Y| - E < 2**-126 (those that are 0 with E aside).

**One bound for many** elements (:func:`surely`) is the greatest of theirs, or greater, and 2**-125
added to it, so that what is decided is no zero and not subnormal in float32. For Y - E and Y + E
are 2**-124 apart, or all but that. If both round to the same float32, its neighbours are as far
apart, so that it is far greater than 2**-126. And one of the two is 2**-125 or more in size, all
but that: if the processor flushes the other one to zero, they differ. So the casts may be the
processor's own. The addition of 2**-125 is rounded, and E is still no less than it was. If the
bound is no finite number, no element is decided: so where it is one, all factors are finite, and
neither L nor H is NaN.

**Sums that are exact.** If all x are multiples of p, and all k of q, both powers of two, then all
partial sums, in any order, are multiples of p*q. None is greater than S, nor S than N. So with N <=
2**53 * p*q, all of them are float64 numbers, nothing is rounded, and Y is the true sum: a cast
rounds it once, ties too. We ask for half of that, since N is computed. It is so for images of few
grey levels and kernels of few bits, where ties are common. A bias is one more term, and its size is
added to N. (:func:`unit` finds p and q.) A sum of 0 is +0 if one of its terms is: a bias, or a
product of numbers that have no minus, of which there is one in every sum if no pixel has a minus,
and in no kernel all elements have. Otherwise the sum is settled.

**In a framework** these are three or four elementwise operations, in its own float64:

    E = error_factor(n) * (norms_x * norms_k)
    low, high = float32(Y - E), float32(Y + E)     # casts that round once, to nearest
    decided = (low == high) & (sign bits equal)    # False for NaN
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import ArgumentError, DTypeError
from d2lconv.rounding.round import bits, floating, narrow, same, widen

Array = NDArray[np.float64]
U = 2.0**-53
LEAST = 2.0**-125  # of a bound for many
ENLARGED = 1 + 2.0**-20  # times norms of up to 2**32 squares are no less than the true ones


def error_factor(n: int) -> float:
    """What the norms are multiplied by: a sum of n products is off by less than this times N.

    Args:
        n: The number of terms of the sum: its products, padding included, and one for a bias.

    Raises:
        ArgumentError: n is negative or beyond 2**40, where the proof ends.

    Example:
        >>> error_factor(25) / 2.0**-53
        27.00000000000015
    """
    if not 0 <= n <= 2**40:
        raise ArgumentError(f"a sum of {n} terms; the bound is proved from 0 to 2**40 terms.")
    return (n + 2) * U / (1 - 2 * n * U)


def certify(
    Y: Any,
    norms_x: Any,
    norms_k: Any,
    n: int,
    dtype: Any,
    *,
    bias: Any = None,
    positive_zeros: bool = False,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Round float64 sums of n exact products where this surely rounds the true values.

    Args:
        Y: float64 sums, of any shape, added in any order; with the bias, if there is one.
        norms_x: The Euclidean norms of the first factors, computed in float64: the windows'. Of
            any shape that can be broadcast to Y's.
        norms_k: The norms of the second ones: the kernels'.
        n: The number of products of a sum, without the bias. Or, with norms times ENLARGED, how
            many additions a product passes at most.
        dtype: float16 or float32, the type of the result. The factors' type may not be wider than
            float32, and may be another one.
        bias: What was added to the sums besides, if anything: float16 or float32 numbers, to be
            broadcast likewise.
        positive_zeros: Whether the caller knows that no sum consists of -0 alone.

    Returns:
        The rounded sums, and a mask, True where they are undecided: there they have no meaning.

    Raises:
        DTypeError: dtype is not float16 or float32.
        ArgumentError: n is negative or beyond 2**40.

    Source:
        The proof is in this module's text.

    Example:
        >>> Y = np.float64([1 + 2**-24, 1 + 2**-20])  # the first is between two float32
        >>> values, undecided = certify(Y, 1.0, 1.0, 25, "float32")
        >>> print(values[1], undecided)
        1.000001 [ True False]
    """
    dtype = floating(dtype)
    if dtype == np.float64:
        raise DTypeError(
            "a float64 sum cannot vouch for itself in float64; give float16 or float32 here, or "
            "settle all elements."
        )
    Y = np.asarray(Y, np.float64)
    E = bound(norms_x, norms_k, n, bias=bias)
    with np.errstate(all="ignore"):
        low, high = narrow(np.asarray(Y - E), dtype), narrow(np.asarray(Y + E), dtype)
    undecided = ~same(low, high)
    zero = E == 0
    if positive_zeros:
        return np.where(zero, np.zeros_like(high), high), undecided & ~zero
    return high, undecided | zero


def surely(Y: Array, E: float, low: NDArray[Any], high: NDArray[Any]) -> NDArray[np.int64]:
    """Round float64 sums by one bound for all of them, and tell where this is undecided.

    Args:
        Y: float64 sums, of any shape.
        E: How far any of them may be from its true value: the greatest :func:`bound`.
        low: Memory of that shape, float16 or float32.
        high: The same; here are the rounded sums.

    Returns:
        The places of the undecided ones in the flattened Y.

    Example:
        >>> low, high = np.empty((2, 3), np.float32)
        >>> surely(np.float64([1 + 2**-24, 1 + 2**-20, 0]), 1e-14, low, high)
        array([0, 2])
    """
    if not np.isfinite(E):
        return np.arange(Y.size)
    np.subtract(Y, E + LEAST, out=low, casting="same_kind")
    np.add(Y, E + LEAST, out=high, casting="same_kind")
    differ = bits(low) != bits(high)
    return np.flatnonzero(differ) if differ.any() else np.empty(0, np.int64)


def bound(norms_x: Any, norms_k: Any, n: int, *, bias: Any = None) -> Array:
    """E: how far a float64 sum of n products may be from the true one, and E's own rounding.

    Args:
        norms_x: As for :func:`certify`.
        norms_k: As for :func:`certify`.
        n: As for :func:`certify`.
        bias: One more term, if there is one.

    Example:
        >>> bool(bound(3.0, 2.0, 25) == 27 * 6 / (2.0**53 - 50))
        True
    """
    with np.errstate(all="ignore"):
        size = np.asarray(norms_x, np.float64) * np.asarray(norms_k, np.float64)
        if bias is not None:
            size = size + np.abs(np.asarray(bias, np.float64))
        E: Array = error_factor(n + (bias is not None)) * size
        return E


def unit(A: NDArray[Any]) -> float:
    """The largest power of two of which all finite elements are multiples; infinity if all are 0.

    Args:
        A: float16 or float32, of any shape. As integers, their significands have 24 bits at most.

    Example:
        >>> unit(np.float32([0.75, -6, 0, np.inf]))
        0.25
    """
    numbers = widen(A)
    fractions, exponents = np.frexp(numbers[np.isfinite(numbers) & (numbers != 0)])
    integers = (fractions * 2.0**24).astype(np.int64)
    lowest = (integers & -integers).astype(np.float64)
    return float(np.ldexp(lowest, exponents - 24).min(initial=np.inf))


def zeros_are_positive(X: Any, K: Any) -> bool:
    """Whether it is sure that no sum of products consists of -0 alone where its norms are 0.

    That is so if the image holds no -0 and every kernel an element that is neither negative nor -0,
    and one that is not 0: then a window's products are not all -0 if its elements are all +0. One
    look at X and K, which saves the settling of every black window.

    Args:
        X: The first factors, of any shape: the image.
        K: The second ones, (o, n): one row for each kernel.

    Example:
        >>> zeros_are_positive(np.float32([0, 1]), np.float32([[1, -1]]))
        True
        >>> zeros_are_positive(np.float32([0, 1]), np.float32([[-1, -1]]))
        False
    """
    X, K = np.asarray(X), np.asarray(K)
    minus = np.signbit(X) & (X == 0)
    kernels = (~np.signbit(K)).any(axis=1) & (K != 0).any(axis=1)
    return not bool(minus.any()) and bool(kernels.all())
