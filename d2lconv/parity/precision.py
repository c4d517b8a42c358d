"""How far honest arithmetic strays on these very numbers, and whether a result strays further.

A bound holds for every order of the additions, and for every conspiracy of the roundings. It grows
with the number n of terms; what happens grows with the square root of n, or less. So with thousands
of terms, operands that were rounded to ten bits, or a kernel that is off by a ten-thousandth, are
within the bound. This module asks what is within reach of honest arithmetic.

**The yardstick** is honest arithmetic itself, on the same numbers. Some elements of the result are
computed in the result's type in the orders that libraries use (:data:`ORDERS`), and held against
the true value in float64. A structure in the numbers (all of them equal, cancelling in pairs, of
very different sizes) drives the roundings into one direction, or apart; it does the same in these
sums. Which roundings happen is chance, though: sums of halves have none at all. So every order is
computed for the numbers times a few factors from 1 to 2 too (:data:`FACTORS`), which leaves
the structure as it is and draws the roundings anew.

Errors are counted in u*S, with u the unit roundoff of the type and S the sum of the absolute values
of the terms. Two of them are compared with the worst honest run:

- the root mean square over elements that are drawn at random, the same for both;
- each of the elements that are furthest off, among all elements, with the worst that the honest
  runs have in that very element.

Neither goes below what independent roundings give on average: roundings of the partial sums s of
the plain order, each uniform from -u*|s| to u*|s|, have the standard deviation
u * sqrt(sum of s**2 / 3).

**What many times means.** The runs are more than forty draws, of which the worst is taken. A root
mean square over m elements of an honest result exceeds that of one draw by little; for one element
alone, four times the worst of forty draws of a normal distribution is nine standard deviations.
For the elements that are furthest off among millions, which are six standard deviations from zero
by chance, ten times the larger of the standard deviation and the worst draw leaves room besides.
A fuzz of 12,960 results, with sums of up to 400 products of all the kinds of numbers and by all the
algorithms in tests/test_precision.py, saw at most 1.1 times in the mean and 2.2 times in one.
Both numbers (:data:`MANY`) are more than three times that. The test repeats a part of the fuzz.
Another, tests/test_honest_fuzz.py, compared 1,359,600 pairs of results of twelve algorithms, with
up to 3,600 products each, options, biases and gradients, and called none of them imprecise.

**What cannot be told**: where numbers have so few digits that narrower types hold them too; where
an infinity or underflow is involved; and in float64, whose true value would take an even wider type
(a float32 sum that is passed off as float64 is beyond the bound anyway).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.parity.bounds.roundoff import NARROW, underflow, unit_roundoff
from d2lconv.parity.terms import Terms

Array = NDArray[np.float64]
MANY = {"mean": 4.0, "one": 10.0}  # times the worst honest run
# Beyond the first, neither a factor nor a product of the two is a power of two: all numbers change.
FACTORS = ((1.0, 1.0), (1.1, 1.7), (1.3, 1.9), (1.57, 1.23), (1.83, 1.41), (1.97, 1.61))
PRODUCTS = 2**19  # that each run adds up, about: the more, the surer and slower
FURTHEST = 32  # elements; only the worst matters, but which that is depends on the honest runs too
BITS = {"bfloat16": 8, "tf32": 11, "float16": 11}


@dataclass(frozen=True)
class Precision:
    """How far a result strays, in comparison with honest arithmetic.

    Attributes:
        times: The error as a multiple of the worst honest one: of both comparisons the one that is
            further above what is allowed.
        imprecise: Whether it is too many times.
        bits: How many bits the significands of A and B would have had if their rounding was the
            error; None where it is no such error.
        limits: For each element (n, o, H, W) the error that would still pass, about.
        dtype: The type that honest arithmetic was done in.
    """

    times: float
    imprecise: bool
    bits: float | None
    limits: Array
    dtype: str

    @property
    def words(self) -> str:
        """What is said of a result that is imprecise."""
        seems = ""
        if self.bits is not None:
            names = [name for name, bits in BITS.items() if abs(self.bits - bits) < 0.8]
            like = f" ({' or '.join(names)}?)".replace("tf32", "TF32") if names else ""
            seems = f", as if both operands had {self.bits:.0f}-bit significands{like}"
        times = f"{self.times:,.0f}" if math.isfinite(self.times) else "infinitely many"
        return f"errs {times} times as much as the worst honest {self.dtype} order{seems}"


def measure(
    terms: Terms,
    result: Array,
    dtype: str,
    *,
    accumulator: str | None = None,
    rounded_to: str | None = None,
    room: Any = 1.0,
) -> Precision | None:
    """Hold a result against honest arithmetic.

    Args:
        terms: What it is the sums of.
        result: The result (n, o, H, W), in float64.
        dtype: The result's type.
        accumulator: The type of the sums, if it is another.
        rounded_to: A type to which the operands may have been rounded.
        room: By how much the bound of an algorithm that is accepted is larger than the sums' own.

    Returns:
        None where nothing can be told.
    """
    if dtype == "float64":
        return None
    u, n = unit_roundoff(dtype), terms.count
    with np.errstate(all="ignore"):
        error = np.abs(result - terms.value)
        unit = u * terms.size * room
        usual = (u * terms.size > 4 * n * underflow(dtype)) & np.isfinite(error)
        shares = np.where(usual, error / unit, 0.0)
    places = np.flatnonzero(usual)
    if not len(places) or not np.isfinite(terms.size).all():
        return None
    drawn = max(1, PRODUCTS // n)
    rng = np.random.default_rng(len(places))
    some = places if len(places) <= drawn else rng.choice(places, drawn, replace=False)
    further = min(FURTHEST, len(places))
    furthest = places[np.argpartition(shares.ravel()[places], -further)[-further:]]
    chosen = np.concatenate([some, furthest])
    x, k, offset = terms.gather(np.stack(np.unravel_index(chosen, terms.shape), axis=1))
    runs, usually = _runs(x, k, offset, dtype, accumulator, rounded_to, _held(terms, dtype))
    own = shares.ravel()[chosen]
    runs, usually = (np.where(np.isfinite(t), t, 0.0) for t in (runs, usually))
    mean = np.sqrt(np.square(runs[:, : len(some)]).mean(1)).max()
    mean = max(mean, math.sqrt(np.square(usually[: len(some)]).mean()))
    each = np.maximum(runs.max(0), usually)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_mean = float(np.sqrt(np.square(own[: len(some)]).mean()) / mean)
        by_one = float(np.nan_to_num((own / each)[len(some) :], posinf=math.inf).max())
    imprecise = by_mean > MANY["mean"] or by_one > MANY["one"]
    times = max((by_mean / MANY["mean"], by_mean), (by_one / MANY["one"], by_one))[1]
    wrong = error.ravel()[some]
    products = np.sqrt(np.square(x[: len(some)] * k[: len(some)]).sum(1))
    limits = np.where(usual, MANY["one"] * max(mean, float(np.median(each))) * unit, math.inf)
    return Precision(times, imprecise, _bits(wrong, products), limits, dtype)


def _held(terms: Terms, dtype: str) -> bool:
    return all(operand.held_by(dtype).all() for operand in terms.operands)


def _bits(error: Array, products: Array) -> float | None:
    """The bits of the operands whose rounding would give an error of this size.

    Rounding to p bits is off by 2**-p times a number from -1 to 1 over the significand from 1 to 2.
    With the logarithms of the significands spread evenly that makes a standard deviation of
    0.4247 * 2**-p, for both factors of a product sqrt(2) times as much, and for a sum of products
    with independent errors that times the square root of the sum of their squares.
    """
    off, size = (math.sqrt(float(np.square(t).mean())) for t in (error, products))
    if not off or not size:
        return None
    bits = math.log2(0.4247 * math.sqrt(2) * size / off)
    return bits if 3 <= bits <= 20 else None


# Honest arithmetic.

Order = Callable[[Any], Any]


def _lanes(terms: Any, lanes: int) -> Any:
    rest = -terms.shape[1] % lanes
    filled = np.pad(terms, [(0, 0), (0, rest)]).reshape(len(terms), -1, lanes)
    return _pairwise(np.cumsum(filled, axis=1, dtype=terms.dtype)[:, -1])


def _blocks(terms: Any, block: int) -> Any:
    rest = -terms.shape[1] % block
    filled = np.pad(terms, [(0, 0), (0, rest)]).reshape(len(terms), -1, block)
    within = np.cumsum(filled, axis=2, dtype=terms.dtype)[:, :, -1]
    return np.cumsum(within, axis=1, dtype=terms.dtype)[:, -1]


def _pairwise(terms: Any) -> Any:
    while terms.shape[1] > 1:
        odd = terms[:, terms.shape[1] // 2 * 2 :]
        terms = np.concatenate([terms[:, :-1:2] + terms[:, 1::2], odd], axis=1)
    return terms[:, 0]


def _sequential(terms: Any) -> Any:
    return np.cumsum(terms, axis=1, dtype=terms.dtype)[:, -1]


def _shuffled(terms: Any) -> Any:
    return _sequential(terms[:, np.random.default_rng(0).permutation(terms.shape[1])])


ORDERS: dict[str, Order] = {
    "sequential": _sequential,
    "reversed": lambda terms: _sequential(terms[:, ::-1]),
    "pairwise": _pairwise,
    "in 4 lanes": lambda terms: _lanes(terms, 4),
    "in 16 lanes": lambda terms: _lanes(terms, 16),
    "in blocks": lambda terms: _blocks(terms, max(2, math.isqrt(terms.shape[1]))),
    "shuffled": _shuffled,
}


@np.errstate(all="ignore")
def _runs(
    x: Array,
    k: Array,
    offset: Array,
    dtype: str,
    accumulator: str | None,
    rounded_to: str | None,
    held: bool,
) -> tuple[Array, Array]:
    """The errors of honest runs (runs, m) in u*S, and the standard deviation (m,) of one."""
    size = np.abs(x * k).sum(1) + np.abs(offset)
    unit = unit_roundoff(dtype) * size
    errors = []
    for by_x, by_k in FACTORS:
        factors = [x * by_x, k * by_k, (offset * by_x * by_k)[:, None]]
        a, b, c = (t.astype(dtype) for t in factors)
        true = factors if not held else [t.astype(np.float64) for t in (a, b, c)]
        right = (true[0] * true[1]).sum(1) + true[2][:, 0]
        if rounded_to is not None:
            a, b = (narrowed(t, BITS[rounded_to]) for t in (a, b))
        for total in _sums(a, b, c, dtype, accumulator, fused=by_x == 1):
            errors.append(np.abs(total.astype(np.float64) - right) / (unit * by_x * by_k))
    partial = np.cumsum(np.concatenate([x * k, offset[:, None]], axis=1), axis=1)
    work = dtype if accumulator is None else accumulator
    usually = np.sqrt((np.square(partial).sum(1) + np.square(x * k).sum(1)) / 3)
    return np.array(errors), usually * unit_roundoff(work) / unit


def _sums(a: Any, b: Any, c: Any, dtype: str, accumulator: str | None, fused: bool) -> Any:
    """The sums of products in every order; c is the bias, (m, 1)."""
    if accumulator in NARROW:
        yield _step_by_step(a, b, c, lambda t: narrowed(t, BITS[accumulator]))
        return
    work = np.dtype(accumulator or dtype)
    products = a.astype(work) * b.astype(work)
    terms = np.concatenate([products, c.astype(work)], axis=1) if c.any() else products
    for order in ORDERS.values():
        yield order(terms).astype(dtype)
    if fused and work != np.float64:
        yield _step_by_step(a, b, c, lambda t: t.astype(work).astype(np.float64)).astype(dtype)


def _step_by_step(a: Any, b: Any, c: Any, rounded: Callable[[Any], Any]) -> Any:
    """A product and an addition rounded at once, one after the other."""
    a, b = (np.ascontiguousarray(t.astype(np.float64).T) for t in (a, b))
    total = c[:, 0].astype(np.float64)
    for x, k in zip(a, b, strict=True):
        total = rounded(total + x * k)
    return total


def narrowed(numbers: Any, bits: int, *, cut: bool = False) -> Any:
    """Numbers rounded to a significand of so many bits, to nearest and even, or cut off.

    Example:
        >>> narrowed(np.float32([1 + 2**-9, 1 + 2**-11, 3.3]), 8).tolist()
        [1.0, 1.0, 3.296875]
    """
    significand, exponent = np.frexp(numbers)
    scaled = np.ldexp(significand, bits)
    return np.ldexp(np.trunc(scaled) if cut else np.rint(scaled), exponent - bits)
