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
from d2lconv.rounding.products import Arithmetic

Fixed = tuple[Geometry, bool]


def convolutions(by: Arithmetic) -> tuple[Operation, Operation, Operation, Operation]:
    """The cross-correlation, the same with a bias, and its two gradients, by a matrix product."""

    def corr2d(X: FloatArray, K: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.corr2d(X, K, geometry, by=by).values

    def layer(X: FloatArray, K: FloatArray, b: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.corr2d(X, K, geometry, b, by=by).values

    def image_gradient(K: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.image_gradient(K, G, geometry, by=by).values

    def kernel_gradient(X: FloatArray, G: FloatArray, geometry: Geometry) -> FloatArray:
        return convolution.kernel_gradient(X, G, geometry, by=by).values

    return corr2d, layer, image_gradient, kernel_gradient


def dense(by: Arithmetic) -> tuple[Operation, Operation, Operation, Operation]:
    """X (n, i) times W (o, i), transposed; the same with a bias; and its two gradients."""

    def product(X: FloatArray, W: FloatArray, fixed: None) -> FloatArray:
        return network.dense(X, W, by=by)

    def layer(X: FloatArray, W: FloatArray, b: FloatArray, fixed: None) -> FloatArray:
        return network.dense(X, W, b, by=by)

    def input_gradient(W: FloatArray, G: FloatArray, fixed: None) -> FloatArray:
        return network.dense(G, W.T, by=by)

    def weight_gradient(X: FloatArray, G: FloatArray, fixed: None) -> FloatArray:
        return network.dense(G.T, X.T, by=by)

    return product, layer, input_gradient, weight_gradient


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
