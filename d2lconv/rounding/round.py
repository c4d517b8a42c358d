"""Rounding once: the sum of two float64 numbers, exact, to float16, float32 or float64.

**Why not add in float64 and cast.** That rounds twice. 1 + 2**-24 + 2**-80 lies above the midpoint
of the float32 numbers 1 and 1 + 2**-23, so that it rounds up. In float64 it is 1 + 2**-24, which is
that midpoint, and the cast takes it to the even neighbour, 1.

**Rounding to odd** keeps what the cast has to know. Let v be a real number that is no float64. It
lies between two adjacent ones, the last bit of whose significand is 0 (even) in one and 1 (odd) in
the other: take the odd one, o. If v is a float64, let o = v. Then:

1. No even float64 lies between v and o, ends included, unless v = o: there are only the two
   neighbours of v, and o is the odd one. So v and o compare alike (<, =, >) with every even
   float64.
2. Every float16 and float32, every midpoint of two adjacent ones, and the limit from which on
   rounding overflows (the midpoint of the largest number and the power of two after it), are even
   float64 numbers or zero. For they have at most 25 significant bits, and float64 keeps 53 for
   numbers of this size: the smallest of them, 2**-150, is far above 2**-1022.
3. Rounding to nearest, ties to even, depends on nothing but how a number compares with those.

So casting o, which rounds once, gives what casting v would. This includes subnormal results and
overflow, for which there is no step of its own. (Rounding to odd: Boldo and Melquiond, "Emulation
of FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Transactions on
Computers 57 (2008), 462-471.)

It is assumed of the processor that it rounds to nearest. It may flush subnormal numbers to zero, as
it does in the threads in which XLA and TensorFlow call back: :func:`widen` and :func:`narrow` find
subnormal float32 numbers by integers, and float64 numbers are never subnormal where the operands
are float16 or float32. (For float64 operands it must not flush.) NumPy's cast from float64 to
float16 rounds once, and not by way of float32: a test shows it at every midpoint.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import DTypeError

Array = NDArray[np.float64]
FLOATS = ("float16", "float32", "float64")
TYPES = frozenset(map(np.dtype, FLOATS))
# Asked here and not where they are needed: NumPy asks the processor, once, and where subnormal
# numbers are flushed it would note for the whole process that there are none.
LIMITS = {np.dtype(name): np.finfo(name) for name in FLOATS}
TINY = np.full(16, 2.0**-149)  # subnormal in float32


def floating(dtype: Any) -> np.dtype[Any]:
    """The type as NumPy knows it.

    Raises:
        DTypeError: It is none of float16, float32 and float64.

    Example:
        >>> floating("float16")
        dtype('float16')
    """
    wanted: np.dtype[Any] = np.dtype(dtype)
    if wanted not in TYPES:
        raise DTypeError(
            f"rounding to {wanted} is not offered; give one of float16, float32 and float64."
        )
    return wanted


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum s of two arrays and its error e: s + e = a + b exactly.

    True for all finite numbers whose sum does not overflow, subnormal ones included.

    Source:
        Knuth's TwoSum: Muller and others, *Handbook of Floating-Point Arithmetic*, 2nd ed.,
        section 4.3.2.

    Example:
        >>> s, e = two_sum(np.float64(1), np.float64(2.0**-60))
        >>> float(s), float(e) == 2.0**-60
        (1.0, True)
    """
    s = a + b
    bb = s - a
    return s, (a - (s - bb)) + (b - bb)


@np.errstate(all="ignore")
def round_pair(high: Array, low: Array, dtype: Any) -> NDArray[Any]:
    """The exact sum of two float64 numbers, rounded once to nearest, ties to even.

    Args:
        high: Finite numbers, of any shape.
        low: Finite numbers, of the same shape. It need not be the smaller one; the sum does not
            overflow in float64.
        dtype: float16, float32 or float64.

    Returns:
        An array of that type. A sum of 0 that is no -0 + -0 gives +0; a sum that is not 0 and is
        rounded to it keeps its sign.

    Example:
        >>> below, above = np.float64([2.0**-24, 2.0**-24]), np.float64([0, 2.0**-80])
        >>> print(round_pair(1 + below, above, "float32") == 1)
        [ True False]
    """
    dtype = floating(dtype)
    total, error = (np.asarray(t, np.float64) for t in two_sum(high, low))
    if dtype == np.float64:
        return total  # one addition rounds once
    bits = total.view(np.int64)  # sign and size: the next number away from 0 is +1
    inexact_even = (error != 0) & (bits & 1 == 0)
    away = np.signbit(error) == np.signbit(total)
    odd = np.asarray(bits + np.where(inexact_even, np.where(away, 1, -1), 0))
    return narrow(odd.view(np.float64), dtype)


@np.errstate(all="ignore")
def widen(numbers: NDArray[Any]) -> Array:
    """Numbers of any floating type as float64, subnormal float32 too where they are flushed.

    A subnormal float32 is its lower 23 bits, read as an integer, times 2**-149.

    Example:
        >>> widen(np.float32([2.0**-149, 1])).tolist() == [2.0**-149, 1]
        True
    """
    wide = numbers.astype(np.float64)
    if numbers.dtype == np.float32 and _flushes():
        bits = np.ascontiguousarray(numbers).view(np.uint32).reshape(numbers.shape)
        size = bits & np.uint32(0x7FFFFFFF)
        small = (size > 0) & (size < 0x800000)
        sign = np.where(bits[small] >> np.uint32(31), -1.0, 1.0)
        wide[small] = sign * size[small].astype(np.float64) * 2.0**-149
    return wide


def exactly(numbers: NDArray[Any]) -> NDArray[Any]:
    """The numbers in a type whose cast to float64 keeps them: their own, unless it is flushed."""
    return widen(numbers) if _flushes() else numbers


@np.errstate(all="ignore")
def narrow(numbers: Array, dtype: Any) -> NDArray[Any]:
    """The cast of float64 numbers, which rounds once, to subnormal float32 too where it flushes.

    A number below 2**-126 is scaled by 2**149, exactly, and rounded to an integer, ties to even:
    its bits. 2**23 is the least normal number, as it should be.

    Example:
        >>> narrow(np.float64([2.0**-149, 2.0**-150, 1]), "float32").view(np.uint32).tolist()
        [1, 0, 1065353216]
    """
    cast: NDArray[Any] = np.asarray(numbers.astype(dtype))
    if cast.dtype == np.float32 and _flushes():
        small = (np.abs(numbers) < 2.0**-126) & (numbers != 0)
        tiny = numbers[small]
        size = np.rint(np.abs(tiny) * 2.0**149).astype(np.uint32)
        sign = np.signbit(tiny).astype(np.uint32) << np.uint32(31)
        cast[small] = (size | sign).view(np.float32)
    return cast


def _flushes() -> bool:
    """Whether this thread flushes subnormal numbers to zero, as operands or as results."""
    there = TINY.astype(np.float32)
    return not (there.view(np.uint32).all() and there.astype(np.float64).all())


def same(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two arrays hold the same number with the same sign; nowhere where one holds NaN.

    Their bits are compared: where subnormal numbers are flushed, any two of them would be equal.

    Example:
        >>> print(same(np.float32([1, 0, np.nan]), np.float32([1, -0.0, np.nan])))
        [ True False False]
    """
    equal: NDArray[np.bool_] = (bits(a) == bits(b)) & ~np.isnan(a)
    return equal


def bits(numbers: NDArray[Any]) -> NDArray[Any]:
    """The numbers' bits, as unsigned integers of their size, in the same memory.

    Example:
        >>> print(bits(np.float16([0, -0.0, 1])))
        [    0 32768 15360]
    """
    return numbers.view(f"u{numbers.dtype.itemsize}")
