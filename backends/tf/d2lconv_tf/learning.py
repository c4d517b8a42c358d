"""Learning a kernel from data in TensorFlow and Keras."""

from collections.abc import Callable

import keras
import tensorflow as tf

from d2lconv.contract import FloatArray
from d2lconv_tf.layers import Conv2D
from d2lconv_tf.ops import Tensor, tensor, tree_sum

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
    if layer == "exact":
        conv, total = Conv2D((kh, kw), weight=initial, bias=False), tree_sum
    else:
        conv, total = _builtin(initial), tf.reduce_sum
        X, Y = X[None, :, :, None], Y[None, :, :, None]  # (batch, height, width, channel)
    (weight,) = conv.trainable_variables
    rate = tensor(lr, X.dtype)
    for epoch in range(1, epochs + 1):
        with tf.GradientTape() as tape:
            D = conv(X) - Y
            loss = total(tf.reshape(D * D, (-1,)))
        gradient = tape.gradient(loss, weight)
        weight.assign(weight - rate * gradient)
        report(epoch, float(loss))
    return tf.reshape(weight, (kh, kw))


def _builtin(initial: FloatArray) -> keras.layers.Conv2D:
    """Keras's own layer, starting from the same kernel."""
    conv = keras.layers.Conv2D(1, initial.shape, use_bias=False, dtype=initial.dtype.name)
    conv.build((None, None, None, 1))
    conv.set_weights([initial[:, :, None, None]])
    return conv
