"""Pooling, correctly rounded, on NumPy arrays: means, and the gradients of means and of maxima.

A maximum rounds nothing; its gradient adds where windows overlap.

The elements of all windows with the same number are one array, so a sum over windows is a sum of a
few arrays (:func:`d2lconv.rounding.means.sums_of`).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.contract import FloatArray, cropped, padded
from d2lconv.core.geometry import Geometry
from d2lconv.core.shift import max_over
from d2lconv.rounding.means import LARGEST, quotients, sums_of
from d2lconv.rounding.round import widen

Array = NDArray[np.float64]
AT_ONCE = 2**15  # elements of images, in float64 256 KiB


def avg_pool(X: FloatArray, counts: NDArray[Any], geometry: Geometry) -> FloatArray:
    """The mean of each window: the sum, divided by a count, and rounded once.

    Args:
        X: The images (n, c, h, w), without their padding. The padding's zeros are terms.
        counts: By what each window's sum is divided, (H, W): see
            :func:`d2lconv.core.contract.counts`.
        geometry: The window's, as of a kernel for each channel.

    Returns:
        The means (n, c, H, W), of X's type.
    """
    X = padded(X, geometry)
    Y = np.empty((*X.shape[:2], *geometry.output), X.dtype)
    divisors = np.asarray(counts).astype(np.int64)
    for some in _images(Y):
        x = X[some] if X.dtype == np.float64 else widen(X[some])
        windows = partial(_windows, x, geometry)
        Y[some] = _quotients(windows, divisors, X.dtype)
    return Y


def avg_pool_gradient(G: FloatArray, counts: NDArray[Any], geometry: Geometry) -> FloatArray:
    """The gradient of :func:`avg_pool` with respect to its images: sums of g / count, rounded once.

    Windows at the border may have other counts. Then all quotients are brought to the counts' least
    common multiple. The sums start from +0, so that none is -0 that is not negative.

    Args:
        G: The gradient at the output (n, c, H, W).
        counts: As for :func:`avg_pool`.
        geometry: As for :func:`avg_pool`.

    Returns:
        The gradient (n, c, h, w), of G's type.
    """
    counts = np.asarray(counts).astype(np.int64)
    dX = np.zeros((*G.shape[:2], *geometry.image[2:]), G.dtype)
    if not overlap(geometry):
        whole = np.zeros((*G.shape[:2], *geometry.padded), G.dtype)
        for some in _images(G):
            g = widen(G[some])
            share = _quotients(partial(_after_zero, g), counts, G.dtype)
            for *_, rows, columns in geometry.taps():
                whole[some, :, rows, columns] = share
        return cropped(whole, geometry)
    divisor = math.lcm(*np.unique(counts).tolist())
    factors = np.array([divisor // int(count) for count in counts.flat], object)
    if G.dtype != np.float64 and divisor <= LARGEST:
        factors = factors.reshape(counts.shape).astype(np.int64)
        for some in _images(dX):
            with np.errstate(all="ignore"):
                g = widen(G[some]) * factors
            dX[some] = _quotients(partial(_spread, g, geometry), divisor, G.dtype)
        return dX
    multiples = np.stack(list(_spread(factors.reshape(1, 1, *counts.shape), geometry)), -1)
    for some in _images(dX):
        terms = np.stack(list(_spread(G[some], geometry)), -1)
        each = _rows(np.broadcast_to(multiples, terms.shape))
        dX[some] = quotients(_rows(terms), divisor, multiples=each).reshape(terms.shape[:-1])
    return dX


def max_pool_gradient(X: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
    """The gradient of the maxima of windows: sums of what each element is the maximum of.

    Of equal elements the first in row-major order is taken. The sums start from +0.

    Args:
        X: The images (n, c, h, w).
        G: The gradient at the output (n, c, H, W).
        geometry: As for :func:`avg_pool`.

    Returns:
        The gradient (n, c, h, w), of G's type.
    """
    X = padded(widen(X), geometry, -np.inf)
    taken = max_over(X, geometry, np.where, lambda number, *_: np.full(G.shape, number))[1]
    dX = np.empty((*G.shape[:2], *geometry.image[2:]), G.dtype)
    for some in _images(dX):
        terms = partial(_spread, widen(G[some]), geometry, taken[some])
        dX[some] = _quotients(terms, 1, G.dtype)
    return dX


def overlap(geometry: Geometry) -> bool:
    """Whether an element may be in two windows."""
    return any(s < k for s, k in zip(geometry.stride, geometry.kernel[2:], strict=True))


def _windows(X: Array, geometry: Geometry) -> Iterator[Array]:
    """The elements of windows of images with their padding: an array for each element's number."""
    return (X[:, :, rows, columns] for *_, rows, columns in geometry.taps())


def _spread(G: NDArray[Any], geometry: Geometry, taken: Any = None) -> Iterator[NDArray[Any]]:
    """What windows (n, c, H, W) add to the elements of their images: arrays (n, c, h, w), 0 first.

    One array for each element of the window, with 0 where no window has that element there. If it
    is told which element is taken, by its number (n, c, H, W), so are the others.
    """
    nothing = np.zeros((*G.shape[:2], *geometry.padded), G.dtype)
    yield cropped(nothing, geometry)
    for number, (*_, rows, columns) in enumerate(geometry.taps()):
        met = np.zeros_like(nothing)
        met[..., rows, columns] = G if taken is None else np.where(taken == number, G, 0)
        yield cropped(met, geometry)


def _after_zero(g: Array) -> list[Array]:
    """One term, in a sum that starts from +0."""
    return [np.zeros_like(g), g]


def _quotients(terms: Callable[[], Iterable[Array]], divisors: Any, dtype: Any) -> NDArray[Any]:
    """Sums of float64 arrays that hold numbers of this type, divided by integers, rounded once."""
    if dtype != np.float64:
        return sums_of(terms, divisors, dtype)
    rows = np.stack(list(terms()), -1)
    each = np.broadcast_to(divisors, rows.shape[:-1]).ravel()
    return quotients(_rows(rows), each).reshape(rows.shape[:-1])


def _images(A: NDArray[Any]) -> Iterator[slice]:
    """Runs of images (n, c, h, w), so few at once that they stay in cache."""
    step = max(1, AT_ONCE // max(1, math.prod(A.shape[1:])))
    return (slice(start, start + step) for start in range(0, len(A), step))


def _rows(A: NDArray[Any]) -> NDArray[Any]:
    """All but the last axis as one."""
    return A.reshape(-1, A.shape[-1])
