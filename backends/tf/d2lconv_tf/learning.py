"""Learning a kernel from data in TensorFlow: the loop is the lesson's, with the layer of choice."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from d2lconv.core.contract import FloatArray
from d2lconv_tf import networks, scratch  # noqa: F401  # Keras finds what has been imported
from d2lconv_tf.exact import tree_sum
from d2lconv_tf.layers import Conv2D
from d2lconv_tf.tensors import dtype_name, tensor

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types

LAYERS = ("exact", "builtin")


def learn_kernel(
    X: Tensor,
    Y: Tensor,
    initial: FloatArray,
    *,
    lr: float,
    epochs: int,
    layer: str,
    report: Callable[[int, float], None],
) -> Tensor:
    """Gradient descent on the squared error between the layer's output for X and Y.

    Calls ``report(epoch, loss)`` once an epoch, with the loss before the update.
    """
    kh, kw = initial.shape
    rate = tensor(lr, dtype_name(X))
    if layer == "exact":
        exact = Conv2D((kh, kw), weight=initial, bias=False, dtype=initial.dtype.name)
        return scratch.learn_kernel(exact, X, Y, rate, epochs, lambda A: tree_sum(A[None]), report)
    builtin = scratch.builtin_layer(tensor(initial))
    X, Y = X[None, :, :, None], Y[None, :, :, None]  # (batch, height, width, channel)
    weight = scratch.learn_kernel(builtin, X, Y, rate, epochs, tf.reduce_sum, report)
    return tf.reshape(weight, (kh, kw))
