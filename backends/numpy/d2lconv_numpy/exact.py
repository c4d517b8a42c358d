"""The contract in NumPy: shift and add, step by step.

NumPy rounds each product and each sum as it comes, so the plain text of
:mod:`d2lconv.core.shift` is all that is needed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lconv.core import contract
from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.contract import cropped, padded
from d2lconv.core.geometry import Geometry
from d2lconv.core.shift import folded, max_over, shift_and_add, shift_and_sum, sum_over


def corr2d(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw)."""
    X, K = by_group(padded(X, geometry), geometry), K.reshape(kernel_by_group(geometry))
    return shift_and_add(X, K, geometry).reshape(len(X), *geometry.shape[1:])


def image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the images, for the gradient G (n, o, H, W) at the output."""
    K, G = K.reshape(kernel_by_group(geometry)), by_group(G, geometry)
    dX: Any = None
    for o in range(G.shape[2]):
        D = np.zeros((*G.shape[:2], K.shape[2], *geometry.padded), G.dtype)
        for a, b, rows, columns in geometry.taps():
            D[..., rows, columns] += K[:, o, :, a, b, None, None] * G[:, :, o, None]
        dX = D if dX is None else dX + D
    return cropped(dX.reshape(len(G), -1, *geometry.padded), geometry)


def kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the kernels, for the gradient G (n, o, H, W) at the output."""
    X, G = by_group(padded(X, geometry), geometry), by_group(G, geometry)
    X, G = X.transpose(1, 2, 0, 3, 4)[:, None], G.transpose(1, 2, 0, 3, 4)
    return shift_and_sum(X, G, geometry, stack, tree_sum).reshape(geometry.kernel)


def stack(parts: Sequence[Tensor]) -> Tensor:
    """Arrays as one, along a new last axis."""
    return np.stack(parts, axis=-1)


def by_group(A: Tensor, geometry: Geometry) -> Tensor:
    """The channels (n, c, ...) by group: (n, g, c/g, ...)."""
    return A.reshape(len(A), geometry.groups, -1, *A.shape[2:])


def kernel_by_group(geometry: Geometry) -> tuple[int, ...]:
    """The shape of the kernels by group: (g, o/g, c/g, kh, kw)."""
    return (geometry.groups, -1, *geometry.kernel[1:])


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n, h, w) along its last three axes, as a tree of additions."""
    return folded(A.reshape(*A.shape[:-3], -1), lambda parts: np.concatenate(parts, axis=-1))


def add_bias(Y: Tensor, b: Tensor, fixed: None) -> Tensor:
    """Y (n, o, H, W) + b (o,)."""
    return Y + b[:, None, None]


def bias_gradient(G: Tensor, fixed: None) -> Tensor:
    """The sums of G (n, o, H, W) over images, rows and columns."""
    return tree_sum(G.swapaxes(0, 1))


def spread(b: Tensor, Y: Tensor) -> Tensor:
    """An array of the shape of Y (n, o, H, W) with the values of b (o,)."""
    return np.broadcast_to(b[:, None, None], Y.shape)


def max_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The maxima of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    return max_over(padded(X, geometry, -np.inf), geometry, np.where)[0]


def pick(X: Tensor, V: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The elements of V where X has the maxima of its windows."""
    geometry, _ = fixed
    X, V = padded(X, geometry, -np.inf), padded(V, geometry)
    others = [lambda _, rows, columns: V[:, :, rows, columns]]
    return max_over(X, geometry, np.where, *others)[1]


def put_back(X: Tensor, G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """G (n, c, H, W), each element at the place of its window's maximum, added up there."""
    geometry, _ = fixed
    X = padded(X, geometry, -np.inf)
    others = [lambda number, rows, columns: np.full(G.shape, number)]
    taken = max_over(X, geometry, np.where, *others)[1]
    dX = np.zeros(X.shape, G.dtype)
    for number, (_, _, rows, columns) in enumerate(geometry.taps()):
        dX[:, :, rows, columns] += np.where(taken == number, G, 0)
    return cropped(dX, geometry)


def avg_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The means of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    return sum_over(padded(X, geometry), geometry) / counts(X, fixed)


def avg_pool_gradient(G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """Each element of G (n, c, H, W) shared out evenly among its window."""
    geometry, _ = fixed
    D, dX = G / counts(G, fixed), np.zeros((*G.shape[:2], *geometry.padded), G.dtype)
    for _, _, rows, columns in geometry.taps():
        dX[:, :, rows, columns] += D
    return cropped(dX, geometry)


def counts(like: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """How many elements each window has, (H, W), in the type of another array."""
    return contract.counts(*fixed).astype(like.dtype)
