"""What is correctly rounded, on NumPy arrays: functions of tensors and, last, of a fixed argument.

They give values alone; derivatives are in :mod:`d2lconv.core.pieces`.
"""

from typing import Any

import numpy as np

from d2lconv.core import contract
from d2lconv.core.contract import FloatArray
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry
from d2lconv.rounding import convolution, network
from d2lconv.rounding.products import Matmul

Fixed = tuple[Geometry, bool]


def convolutions(matmul: Matmul) -> tuple[Operation, Operation, Operation, Operation]:
    """The cross-correlation, the same with a bias, and its two gradients, by a matrix product."""

    def corr2d(X: FloatArray, K: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.corr2d(X, K, geometry, matmul=matmul).values

    def layer(X: FloatArray, K: FloatArray, b: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.corr2d(X, K, geometry, b, matmul=matmul).values

    def image_gradient(K: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.image_gradient(K, G, geometry, matmul=matmul).values

    def kernel_gradient(X: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.kernel_gradient(X, G, geometry, matmul=matmul).values

    return corr2d, layer, image_gradient, kernel_gradient


def dense(X: FloatArray, W: FloatArray, fixed: None) -> FloatArray:
    """X (n, i) times W (o, i), transposed: (n, o)."""
    return network.dense(X, W)


def dense_input_gradient(W: FloatArray, G: FloatArray, fixed: None) -> FloatArray:
    """The gradient of ``dense`` with respect to X, given G (n, o) at its output."""
    return network.dense(G, W.T)


def dense_weight_gradient(X: FloatArray, G: FloatArray, fixed: None) -> FloatArray:
    """The gradient of ``dense`` with respect to W, given G (n, o) at its output."""
    return network.dense(G.T, X.T)


def dense_layer(X: FloatArray, W: FloatArray, b: FloatArray, fixed: None) -> FloatArray:
    """``dense``, plus b (o,), rounded once."""
    return network.dense(X, W, b)


def sums(G: FloatArray, fixed: None) -> FloatArray:
    """The sums (o,) of G (n, o, ...) over all axes but the second: the gradient of a bias."""
    return network.sums(G.swapaxes(0, 1).reshape(G.shape[1], -1))


def spread_out(b: FloatArray, Y: FloatArray, fixed: None) -> FloatArray:
    """An array of the shape of Y (n, o, ...) with the values of b (o,)."""
    return np.broadcast_to(b.reshape(-1, *[1] * (Y.ndim - 2)), Y.shape).copy()


def avg_pool(X: FloatArray, fixed: Fixed) -> FloatArray:
    """The means of windows of X (n, c, h, w)."""
    return network.avg_pool(X, contract.counts(*fixed), fixed[0])


def avg_pool_gradient(G: FloatArray, fixed: Fixed) -> FloatArray:
    """The gradient of ``avg_pool``, given G (n, c, H, W) at its output."""
    return network.avg_pool_gradient(G, contract.counts(*fixed), fixed[0])


def max_pool_gradient(X: FloatArray, G: FloatArray, fixed: Fixed) -> FloatArray:
    """G (n, c, H, W), each element at the place of its window's maximum in X, added up there."""
    return network.max_pool_gradient(X, G, fixed[0])


def cross_entropy(x: FloatArray, labels: Any, fixed: None) -> FloatArray:
    """The mean of the softmax cross-entropy of logits (n, k) and labels (n,)."""
    return network.mean(network.softmax_cross_entropy(x, labels))


def cross_entropy_gradient(x: FloatArray, labels: Any, g: FloatArray, fixed: None) -> FloatArray:
    """The gradient with respect to the logits, given g at the output."""
    return network.softmax_cross_entropy_gradient(x, labels, g)


def cross_entropy_tangent(x: FloatArray, labels: Any, t: FloatArray, fixed: None) -> FloatArray:
    """The derivative along t (n, k): the sum of the gradient's elements times those of t."""
    gradient = network.softmax_cross_entropy_gradient(x, labels)
    return network.dense(gradient.reshape(1, -1), t.reshape(1, -1)).reshape(())
