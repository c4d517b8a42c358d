"""The true value: cross-correlation, its gradients and learning in exact rational arithmetic."""

import math
from fractions import Fraction

import numpy as np


def rational(array):
    """An array of fractions, each exactly the element; infinities and NaN are left as 0."""
    array = np.asarray(array, np.float64)
    values = [Fraction(float(x)) if math.isfinite(x) else Fraction(0) for x in array.flat]
    return np.array(values, object).reshape(array.shape)


def round_exactly(value, dtype):
    """A fraction rounded to nearest, ties to even: the nearest of three candidates. 0 gives +0."""
    number, info = np.dtype(dtype).type, np.finfo(dtype)
    limit = Fraction(float(info.max)) + Fraction(2) ** (info.maxexp - info.nmant - 2)
    if abs(value) >= limit:  # half a unit beyond the largest number
        return number(math.inf if value > 0 else -math.inf)
    with np.errstate(all="ignore"):
        start = number(max(-float(info.max), min(float(info.max), float(value))))
        near = [start, np.nextafter(start, number(-np.inf)), np.nextafter(start, number(np.inf))]
    bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[number(0).nbytes]
    finite = [c for c in near if np.isfinite(c)]
    best = min(finite, key=lambda c: (abs(Fraction(float(c)) - value), int(c.view(bits)) & 1))
    return np.copysign(best, number(-1 if value < 0 else 1)) if best == 0 else best


def round_sum(x, k, dtype):
    """The sum of the products of two sequences of finite numbers, rounded exactly."""
    pairs = zip(np.asarray(x).tolist(), np.asarray(k).tolist(), strict=True)
    return round_exactly(sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction(0)), dtype)


def corr2d(X, K):
    """The cross-correlation of two arrays of fractions."""
    (h, w), (kh, kw) = X.shape, K.shape
    H, W = h - kh + 1, w - kw + 1
    return sum(X[a : a + H, b : b + W] * K[a, b] for a, b in np.ndindex(kh, kw))


def image_gradient(K, G):
    """The gradient of it with respect to the image: every element of G spread over the kernel."""
    (kh, kw), (H, W) = K.shape, G.shape
    dX = np.full((H + kh - 1, W + kw - 1), Fraction(0))
    for a, b in np.ndindex(kh, kw):
        dX[a : a + H, b : b + W] += K[a, b] * G
    return dX


def learning(X, Y, kernel, lr, epochs):
    """The losses and the kernel of gradient descent on the squared error, all of them fractions."""
    losses = []
    for _ in range(epochs):
        D = corr2d(X, kernel) - Y
        losses.append((D * D).sum())
        kernel = kernel - lr * corr2d(X, 2 * D)
    return np.array(losses), kernel


def assert_within(actual, true, bound, what=""):
    """Fail where a result is further from the true value than its bound; return the share used."""
    __tracebackhide__ = True
    assert actual.shape == true.shape == bound.shape, what
    share = 0.0
    for place in np.ndindex(actual.shape):
        value, limit = float(actual[place]), float(bound[place])
        if math.isinf(limit):
            continue
        assert math.isfinite(value), f"{what}: {value} at {place}, true {float(true[place])!r}"
        error = abs(Fraction(value) - true[place])
        if error:
            assert error <= Fraction(limit), (
                f"{what}: at {place}, {value!r} is {float(error):.3g} from the true value, and "
                f"the bound is {limit:.3g}"
            )
            share = max(share, float(error / Fraction(limit)))
    return share
