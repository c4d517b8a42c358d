"""Softmax cross-entropy and its gradient, correctly rounded: the true values, rounded once.

For logits x[1..k], the largest of which is M, let e[j] = exp(x[j] - M), and S their sum. The loss
of the label y is (M - x[y]) + log(S). The gradient of the mean of n losses is (e[i]/S - 1)/n for
i = y, and e[i]/(S*n) otherwise; it is multiplied by a number g before it is rounded.

**In float64**, so that nothing cancels: with t the sum of all e[j] but one that is 1 (that of y if
it is), the loss is (M - x[y]) + log1p(t). With s the sum of all e[j] but e[y], the gradient for y
is -s/(S*n). All that is added is 0 or positive. With u = 2**-53, products of errors aside:

- x[j] - M is cut off at -500, and e[j] at 2**-722. Where it is not, it is off by 500*u, exp by
  8*u more (``ASSUMED`` in :mod:`d2lconv.rounding.ziv`): e[j] is off by 508*u, relatively.
- Sums of k such numbers are off by (508 + k)*u. That errors count no more in log1p(t) than in t is
  since t/((1 + t) * log1p(t)) <= 1. With log1p itself, 8*u, and the addition, u: (517 + k)*u.
- The gradients: a sum or e[i], S, and three operations: (1019 + 2*k)*u.

We test with (640 + 2*k)*u and (1100 + 2*k)*u (:func:`d2lconv.rounding.ziv.ziv`); the rest is
more than the products of errors as long as k < 2**25. What is cut off adds less than k * 2**-721 to
sums. S >= 1, so there it does not count. If M - x[y] is not 0, it is 2**-149 at least, and again it
does not. Else t or s is either 2**-578 at least, and it does not, or the true and the computed
result are both below 2**-550, and round to 0, with the same sign. So do the elements cut off. With
g, which is below 2**128, they are below 2**-422, and still do.

**What is undecided** is enclosed in decimal numbers (:mod:`d2lconv.rounding.enclosures`). This ends
unless the true value is rational. By the theorem of Lindemann and Weierstrass, exponentials of
different rationals are linearly independent over them. A rational loss L gives the relation exp(L)
= sum of exp(x[j] - x[y]), so all x[j] - x[y] are L, and there is one: k = 1, L = 0. A rational
gradient r gives e[i] = r*S*n (or that and e[i]): all e[j] are 1, for r is not 0.

**Nearly rational values** would need millions of digits: where all logits but the largest ones
(m of them) are more than 1000 below M. With D the sum of those e[j], less than 2**-1400 for k <
2**25, the loss for m = 1 is M - x[y] + log(1 + D). The gradients are 1/((m + D)*n) and -(m - 1 +
D)/((m + D)*n) for the largest ones, and those for a label that is far below are above -1/n by less
than 2**-1400. Each is close to a rational number, on a known side. Here the rational numbers have
denominators up to 2**60, or are sums of float64 numbers; where rounding jumps are multiples of
2**-1075. So unless the two are equal, they are 2**-1135 apart, and every number on the same side
of the rational one, and less than that from it, rounds alike. We take the one at 2**-1300. All of
this holds for a float64 number g times the gradients as well. If g > 1, those left out are more
than 1720 below M, for exp(-720) * g < 1.

**Infinities and NaN.** Logits of -inf are as if they were not there (e[j] = 0), but for a label of
-inf the loss is inf. A row with inf or NaN, or of -inf alone, has no softmax: it gives NaN.
"""

from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.errors import ArgumentError, DTypeError, ShapeError
from d2lconv.rounding import integers
from d2lconv.rounding.enclosures import Digits, Enclosure, decide, exactly
from d2lconv.rounding.round import FLOATS, narrow, widen
from d2lconv.rounding.ziv import FURTHEST, ziv

Array = NDArray[np.float64]
MOST = 2**25  # logits of a row
FAR = -1000  # exponentials of less are beside the number to which they are added
FURTHER = -720  # where they are multiplied by a float64 number of up to 2**1024
BESIDE = Fraction(1, 2**1300)
EXACT = Context(prec=2000, traps=[Inexact])  # differences of float64 have 1400 digits at most


def softmax_cross_entropy(logits: Any, labels: Any) -> NDArray[Any]:
    """The loss of each example: the logarithm of the sum of exponentials, less the label's logit.

    Args:
        logits: Shape (n, k): a row for each example; float16, float32 or float64.
        labels: Shape (n,): which of the k is right, integers from 0.

    Returns:
        The losses (n,), of the logits' type.

    Raises:
        ShapeError: The shapes do not fit each other.
        DTypeError: The logits are of no floating type, or the labels no integers.
        ArgumentError: A label is not from 0 to k - 1.

    Example:
        >>> softmax_cross_entropy(np.float32([[0, 0], [3, -2]]), [0, 1])
        array([0.6931472, 5.0067153], dtype=float32)
    """
    x, labels, dtype = _operands(logits, labels)
    rows = np.arange(len(x))
    with np.errstate(all="ignore"):
        top, e = _exponentials(x)
        at_label = x[rows, labels]
        left_out = np.where(at_label == top, labels, x.argmax(axis=1))
        e[rows, left_out] = 0
        found = (top - at_label) + np.log1p(e.sum(axis=1))
    values, undecided = _tested(found, np.isfinite(top), 640 + 2 * x.shape[1], dtype)
    where = np.flatnonzero(undecided)
    settled = [_loss(x[row].tolist(), int(labels[row]), dtype) for row in where]
    values[where] = narrow(np.array(settled, np.float64), dtype)
    return values


def softmax_cross_entropy_gradient(logits: Any, labels: Any, g: Any = 1.0) -> NDArray[Any]:
    """The gradient of the losses' true mean: (softmax - 1) / n at the labels, else softmax / n.

    Args:
        logits: As for :func:`softmax_cross_entropy`.
        labels: As for :func:`softmax_cross_entropy`.
        g: The gradient at the mean, one number of the logits' type, by which all is multiplied.

    Returns:
        The gradient (n, k), of the logits' type, each element rounded once.

    Raises:
        ShapeError: The shapes do not fit each other.
        DTypeError: The logits are of no floating type, or the labels no integers.
        ArgumentError: A label is not from 0 to k - 1.

    Example:
        >>> softmax_cross_entropy_gradient(np.float32([[0, 0], [3, 3]]), [0, 1])
        array([[-0.25,  0.25],
               [ 0.25, -0.25]], dtype=float32)
    """
    x, labels, dtype = _operands(logits, labels)
    rows, n, scale = np.arange(len(x)), len(x), float(widen(np.asarray(g)))
    with np.errstate(all="ignore"):
        top, e = _exponentials(x)
        size = e.sum(axis=1) * n
        found = e / size[:, None]
        e[rows, labels] = 0
        others = e.sum(axis=1)
        found[rows, labels] = np.where(others == 0, 0.0, -others / size)
        found *= scale
    good = np.broadcast_to(np.isfinite(top)[:, None], x.shape)
    values, undecided = _tested(found, good, 1100 + 2 * x.shape[1], dtype)
    where = np.argwhere(undecided & np.isfinite(scale))
    size_of = partial(_slope, n=n, g=abs(scale), dtype=dtype)
    sizes = [size_of(x[j].tolist(), i, int(labels[j])) for j, i in where.tolist()]
    at = tuple(where.T)
    values[at] = narrow(np.copysign(np.array(sizes, np.float64), found[at]), dtype)
    return values


def _operands(logits: Any, labels: Any) -> tuple[Array, NDArray[np.int64], np.dtype[Any]]:
    """The logits as float64, the labels and the logits' type, checked."""
    x, labels = np.asarray(logits), np.asarray(labels)
    if x.dtype.name not in FLOATS or labels.dtype.kind not in "iu":
        raise DTypeError(
            f"logits of {x.dtype} and labels of {labels.dtype}; give logits of float16, float32 "
            "or float64, and integers."
        )
    if x.ndim != 2 or not 0 < x.shape[1] < MOST or labels.shape != x.shape[:1]:
        raise ShapeError(
            f"logits of shape {x.shape} and labels of {labels.shape}; give (n, k) and (n,), with "
            f"k from 1 to {MOST - 1}."
        )
    wrong = labels[(labels < 0) | (labels >= x.shape[1])]
    if len(wrong):
        raise ArgumentError(f"a label is {wrong[0]}; it must be from 0 to {x.shape[1] - 1}.")
    return widen(x), labels.astype(np.int64), x.dtype


def _exponentials(x: Array) -> tuple[Array, Array]:
    """The largest logit of each row, and exp(x - largest), cut off."""
    top = x.max(axis=1)
    e = np.exp(np.maximum(x - top[:, None], -FURTHEST))
    return top, np.where(np.isneginf(x), 0.0, e)


def _tested(
    found: Array, good: NDArray[np.bool_], error: int, dtype: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Rounded values, NaN where a row is not good, and where they are undecided."""
    if dtype == np.float64:
        values, undecided = found.copy(), np.ones(found.shape, np.bool_)
    else:
        values, undecided = ziv(found, error, dtype)
    return np.where(good, values, dtype.type(np.nan)), undecided & good


def _loss(row: list[float], y: int, dtype: Any) -> float:
    """A row's loss, rounded once; its largest logit is finite."""
    if row[y] == -np.inf:
        return np.inf
    equal, below = _differences(row)
    distance = EXACT.subtract(Decimal(max(row)), Decimal(row[y]))
    if equal == 1 and all(d < FAR for d in below):
        return _near(Fraction(*distance.as_integer_ratio()), 1, dtype) if distance else 0.0

    def enclose(digits: Digits) -> Enclosure:
        return digits.add((distance, distance), digits.log(_sum(digits, equal, below)))

    return decide(enclose, dtype)


def _slope(row: list[float], i: int, y: int, n: int, g: float, dtype: Any) -> float:
    """The size of an element of the gradient, rounded once; the row's largest logit is finite."""
    if not g:
        return 0.0
    equal, below = _differences(row)
    far, share = FAR if g <= 1 else FAR + FURTHER, Fraction(g) / n
    side = 1 if below else 0
    depth = EXACT.subtract(Decimal(row[i]), Decimal(max(row)))  # -Infinity is one, too
    alone = not depth and all(d < far for d in below)
    if i != y:
        if depth < far:
            return 0.0
        if alone:
            return _near(share / equal, -side, dtype)
    elif depth < far:
        return _near(share, 0 if row[i] == -np.inf else -1, dtype)
    elif alone:
        return _near(share * (equal - 1) / equal, side, dtype) if side or equal > 1 else 0.0

    def enclose(digits: Digits) -> Enclosure:
        whole = _sum(digits, equal, below)
        if i != y:
            part = digits.exp(depth)
        elif depth:
            rest = below.copy()
            rest.remove(depth)
            part = _sum(digits, equal, rest)
        else:
            part = _sum(digits, equal - 1, below)
        return digits.divide(digits.multiply(part, exactly(g)), digits.multiply(whole, exactly(n)))

    return decide(enclose, dtype)


def _differences(row: list[float]) -> tuple[int, list[Decimal]]:
    """How many logits are the largest one, and how far below it the others are, but for -inf."""
    top = max(row)
    less = [x for x in row if -np.inf < x < top]
    return row.count(top), [EXACT.subtract(Decimal(x), Decimal(top)) for x in less]


def _sum(digits: Digits, equal: int, below: list[Decimal]) -> Enclosure:
    """The sum of exponentials of differences."""
    total = exactly(equal)
    for d in below:
        total = digits.add(total, digits.exp(d))
    return total


def _near(number: Fraction, side: int, dtype: Any) -> float:
    """A number less than 2**-1300 above or below a rational one, or itself, rounded once."""
    beside = number + side * BESIDE
    return integers.quotient(beside.numerator, beside.denominator, dtype)
