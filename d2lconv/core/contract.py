"""The contract: what every backend computes, and in which order, in words and in code.

IEEE 754 rounds one addition or one multiplication the same way everywhere. Two programs that do
the same additions and multiplications in the same order therefore get the same bits, provided
that no compiler fuses a multiplication and an addition into one rounding, and that no result is
subnormal (some frameworks flush those to zero). So the contract fixes the order. It is that of
the lesson's own functions, one on top of the other:

- **One channel.** An image, its padding included, and a kernel. The window's elements come in
  row-major order: the first product, then plus the second, and so on to the last.
- **Several channels.** Each channel by itself as above; then the channels' results are added in
  their order, the first one plus the second, and so on.
- **Several outputs, several images.** Each by itself. With groups, an output has the channels of
  its group.
- **Sum of an array.** A fixed tree: flatten in row-major order; with p the largest power of two
  below the number of elements, add the elements from p on to the first ones, one by one; repeat
  with the p elements that are left, until one is left.
- **Gradient with respect to the kernel**, for a gradient ``G`` at the output: each element is the
  sum (by the tree) over images, rows and columns of the image's elements that it met, times G.
- **Gradient with respect to the image.** For each output by itself, in zeros: for each element of
  the kernel in row-major order, add it times G to the elements that it met. Then the outputs'
  results are added in their order. What falls on the padding is dropped.
- **Bias.** ``Y + b``; its gradient is the sum of ``G`` over images, rows and columns.
- **Maximum of a window.** The first element in row-major order, unless a later one is greater or
  the first NaN. Its gradient goes to the one element that was taken, and where windows overlap the
  gradients are added in the order of the elements in their windows. The padding is -inf.
- **Mean of a window.** The sum of the window's elements in row-major order, divided by how many
  there are. Its gradient is ``G`` divided by that number, added in the same order to zeros.
- **A step of learning.** ``D = corr2d(X, K) - Y``, the loss is the sum of ``D * D``, the gradient
  with respect to the output ``D + D``, and ``K = K - lr * dK``, with ``lr`` rounded to the type
  of ``K`` first.

The functions below spell this out, one scalar operation after the other. They are slow on purpose:
they are what the tests hold every backend against. Images are (n, c, h, w) without their padding,
kernels (o, c/groups, kh, kw), and the outputs' gradients (n, o, H, W).
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.geometry import Geometry

FloatArray = NDArray[np.floating[Any]]
Window = tuple[FloatArray, FloatArray]
Place = tuple[int, int, int, int]


def corr2d(X: FloatArray, K: FloatArray, geometry: Geometry) -> FloatArray:
    """The exact cross-correlation of images and kernels, element by element."""
    X = padded(X, geometry)
    Y = np.empty(_shape(X, geometry), X.dtype)
    for n, o, i, j in np.ndindex(*Y.shape):
        channels = []
        for k, c in enumerate(_channels(o, geometry)):
            terms = [X[n, c, h, w] * K[o, k, a, b] for a, b, h, w in _window(i, j, geometry)]
            channels.append(reduce(add, terms))
        Y[n, o, i, j] = reduce(add, channels)
    return Y


def kernel_gradient(X: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
    """The gradient of ``corr2d`` with respect to its kernels, given G at its output."""
    X = padded(X, geometry)
    dK = np.empty(geometry.kernel, X.dtype)
    H, W = geometry.output
    for o in range(geometry.kernel[0]):
        for k, c in enumerate(_channels(o, geometry)):
            for a, b, rows, columns in geometry.taps():
                met = X[:, c, rows, columns]
                places = np.ndindex(len(X), H, W)
                dK[o, k, a, b] = tree_sum([met[n, i, j] * G[n, o, i, j] for n, i, j in places])
    return dK


def image_gradient(K: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
    """The gradient of ``corr2d`` with respect to its images, given G at its output."""
    shape = len(G), geometry.image[1], *geometry.padded
    by_output: dict[int, list[FloatArray]] = {c: [] for c in range(shape[1])}
    for o in range(geometry.kernel[0]):
        for k, c in enumerate(_channels(o, geometry)):
            D = np.zeros((len(G), *geometry.padded), G.dtype)
            for a, b in np.ndindex(*geometry.kernel[2:]):
                for n, i, j in np.ndindex(len(G), *geometry.output):
                    h, w = _met(a, b, i, j, geometry)
                    D[n, h, w] = D[n, h, w] + K[o, k, a, b] * G[n, o, i, j]
            by_output[c].append(D)
    dX = np.stack([reduce(add, found) for found in by_output.values()], axis=1)
    return cropped(dX, geometry)


def bias_gradient(G: FloatArray) -> FloatArray:
    """The gradient of ``Y + b`` with respect to b (o,), given G (n, o, H, W)."""
    return np.array([tree_sum(list(G[:, o].flat)) for o in range(G.shape[1])], G.dtype)


def max_pool(X: FloatArray, geometry: Geometry) -> tuple[FloatArray, dict[Place, Place]]:
    """The maximum of each window, and the place in the padded image that it is from."""
    X = padded(X, geometry, -np.inf)
    Y = np.empty(_shape(X, geometry), X.dtype)
    taken = {}
    for n, c, i, j in np.ndindex(*Y.shape):
        best: Place | None = None
        for _, _, h, w in _window(i, j, geometry):
            new, old = X[n, c, h, w], None if best is None else X[best]
            if old is None or new > old or (np.isnan(new) and not np.isnan(old)):
                best = n, c, h, w
        assert best is not None
        Y[n, c, i, j], taken[n, c, i, j] = X[best], best
    return Y, taken


def max_pool_gradient(X: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
    """The gradient of ``max_pool`` with respect to its images, given G at its output."""
    _, taken = max_pool(X, geometry)
    return _spread(G, geometry, lambda place, met: taken[place] == met)


def avg_pool(X: FloatArray, counts: FloatArray, geometry: Geometry) -> FloatArray:
    """The mean of each window; counts (H, W) is how many elements each has."""
    X = padded(X, geometry)
    Y = np.empty(_shape(X, geometry), X.dtype)
    for n, c, i, j in np.ndindex(*Y.shape):
        terms = [X[n, c, h, w] for _, _, h, w in _window(i, j, geometry)]
        Y[n, c, i, j] = reduce(add, terms) / counts[i, j]
    return Y


def avg_pool_gradient(G: FloatArray, counts: FloatArray, geometry: Geometry) -> FloatArray:
    """The gradient of ``avg_pool`` with respect to its images, given G at its output."""
    return _spread(G / counts, geometry, lambda place, met: True)


def tree_sum(values: Sequence[Any]) -> Any:
    """The sum of a flat sequence along the fixed tree."""
    values = list(values)
    while len(values) > 1:
        p = fold(len(values))
        for i, value in enumerate(values[p:]):
            values[i] = values[i] + value
        del values[p:]
    return values[0]


def fold(n: int) -> int:
    """The largest power of two below n: where the fixed tree folds n > 1 elements.

    Example:
        >>> [fold(n) for n in (2, 3, 4, 5, 42)]
        [1, 2, 2, 4, 32]
    """
    return 1 << ((n - 1).bit_length() - 1)


def counts(geometry: Geometry, include_padding: bool = False) -> NDArray[np.int64]:
    """How many elements each window of a pooling has, shape (H, W), with its padding or without."""
    kh, kw = geometry.kernel[2:]
    if include_padding:
        return np.full(geometry.output, kh * kw)
    inside = [
        np.minimum(starts + size, length) - np.maximum(starts, 0)
        for starts, size, length in zip(
            _starts(geometry), (kh, kw), geometry.image[2:], strict=True
        )
    ]
    return np.outer(*inside)


def padded(X: FloatArray, geometry: Geometry, value: float = 0) -> FloatArray:
    """The images (n, c, h, w) with their padding, which is zeros unless a value is given."""
    if geometry.padded == geometry.image[2:]:
        return X
    result: FloatArray = np.full((*X.shape[:2], *geometry.padded), value, X.dtype)
    cropped(result, geometry)[...] = X
    return result


def cropped(X: FloatArray, geometry: Geometry) -> FloatArray:
    """Images without their padding."""
    (top, _), (left, _) = geometry.padding
    h, w = geometry.image[2:]
    return X[:, :, top : top + h, left : left + w]


def _spread(G: FloatArray, geometry: Geometry, goes: Callable[[Place, Place], bool]) -> FloatArray:
    """G added to zeros at what each element met: element by element of the windows, in order."""
    dX = np.zeros((*G.shape[:2], *geometry.padded), G.dtype)
    for a, b in np.ndindex(*geometry.kernel[2:]):
        for n, c, i, j in np.ndindex(*G.shape):
            place = n, c, *_met(a, b, i, j, geometry)
            if goes((n, c, i, j), place):
                dX[place] = dX[place] + G[n, c, i, j]
    return cropped(dX, geometry)


def _shape(X: FloatArray, geometry: Geometry) -> tuple[int, int, int, int]:
    return (len(X), geometry.kernel[0], *geometry.output)


def _starts(geometry: Geometry) -> list[NDArray[np.int64]]:
    """The first row and column of each window in the image without padding."""
    return [
        np.arange(n) * stride - before
        for n, stride, (before, _) in zip(
            geometry.output, geometry.stride, geometry.padding, strict=True
        )
    ]


def _channels(o: int, geometry: Geometry) -> range:
    """The channels of the image that an output has."""
    channels, outputs = geometry.in_groups
    first = o // outputs * channels
    return range(first, first + channels)


def _window(i: int, j: int, geometry: Geometry) -> list[tuple[int, int, int, int]]:
    """For each element (a, b) of the kernel the row and column it meets at output (i, j)."""
    taps = np.ndindex(*geometry.kernel[2:])
    return [(a, b, *_met(a, b, i, j, geometry)) for a, b in taps]


def _met(a: int, b: int, i: int, j: int, geometry: Geometry) -> tuple[int, int]:
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    return i * sh + a * dh, j * sw + b * dw
