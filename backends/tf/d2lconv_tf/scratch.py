"""The lesson from scratch, in TensorFlow: what notebooks, page and slides show."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types
Loss = Callable[[Tensor, Any], Tensor]  # of logits and labels


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """Each output element is the sum of one window times the kernel."""
    kh, kw = K.shape
    Y = tf.Variable(tf.zeros((X.shape[0] - kh + 1, X.shape[1] - kw + 1), dtype=X.dtype))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j].assign(tf.reduce_sum(X[i : i + kh, j : j + kw] * K))
    return Y


def shift_and_add(X: Tensor, K: Tensor) -> Tensor:
    """The same sums: each kernel element times the part of the image that it slides over."""
    kh, kw = K.shape
    H, W = X.shape[0] - kh + 1, X.shape[1] - kw + 1
    Y = X[:H, :W] * K[0, 0]
    for a in range(kh):
        for b in range(kw):
            if a + b > 0:
                Y = Y + X[a : a + H, b : b + W] * K[a, b]
    return Y


def im2col(X: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """The windows of an image as the rows of a matrix."""
    kh, kw = kernel_size
    H, W = X.shape[0] - kh + 1, X.shape[1] - kw + 1
    parts = [X[a : a + H, b : b + W] for a in range(kh) for b in range(kw)]
    return tf.stack([tf.reshape(part, (-1,)) for part in parts], axis=1)


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """The same sums as one matrix product: the windows times the kernel."""
    kh, kw = K.shape
    Y = im2col(X, (kh, kw)) @ tf.reshape(K, (-1, 1))
    return tf.reshape(Y, (X.shape[0] - kh + 1, X.shape[1] - kw + 1))


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix that does to an image what the kernel does: in each row, the kernel in zeros."""
    (h, w), (kh, kw) = input_shape, K.shape
    rows = [
        tf.reshape(tf.pad(K, ((i, h - kh - i), (j, w - kw - j))), (-1,))
        for i in range(h - kh + 1)
        for j in range(w - kw + 1)
    ]
    return tf.stack(rows)


def pad(X: Tensor, padding: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """The image in a frame of zeros, so many rows above and below it, and columns at its sides."""
    (top, bottom), (left, right) = padding
    return tf.pad(X, ((top, bottom), (left, right)))


def corr2d_strided(X: Tensor, K: Tensor, stride: tuple[int, int]) -> Tensor:
    """Of all the windows, one for each so many rows and columns."""
    return shift_and_add(X, K)[:: stride[0], :: stride[1]]


def corr2d_multi_in(X: Tensor, K: Tensor) -> Tensor:
    """Several input channels: each with its own kernel, and then the sum."""
    Y = shift_and_add(X[0], K[0])
    for x, k in zip(X[1:], K[1:], strict=True):
        Y = Y + shift_and_add(x, k)
    return Y


def corr2d_multi_in_out(X: Tensor, K: Tensor) -> Tensor:
    """Several output channels: each has kernels of its own."""
    return tf.stack([corr2d_multi_in(X, k) for k in K])


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    """A kernel of 1x1: the same matrix product at every pixel."""
    channels, h, w = X.shape
    Y = tf.reshape(K, (len(K), channels)) @ tf.reshape(X, (channels, h * w))
    return tf.reshape(Y, (len(K), h, w))


def pool2d(X: Tensor, size: tuple[int, int], mode: str = "max") -> Tensor:
    """Each output element is the maximum, or the mean, of one window."""
    h, w = size
    Y = tf.Variable(tf.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), dtype=X.dtype))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            Y[i, j].assign(tf.reduce_max(window) if mode == "max" else tf.reduce_mean(window))
    return Y


class Conv2D(keras.layers.Layer):  # type: ignore[misc]
    """A layer: a cross-correlation with a kernel that can be learned, plus a bias."""

    def __init__(self, kernel_size: tuple[int, int], seed: int = 0) -> None:
        super().__init__()
        start = np.random.default_rng(seed).random(kernel_size, np.float32)
        self.weight = self.add_weight(start.shape, lambda *_, **__: start, name="weight")
        self.bias = self.add_weight((1,), "zeros", name="bias")

    def call(self, X: Tensor) -> Tensor:
        return shift_and_add(X, self.weight) + self.bias


def builtin_layer(weight: Tensor) -> keras.layers.Conv2D:
    """Keras's own layer, starting from a kernel, for images (batch, height, width, channel)."""
    options = {"use_bias": False, "data_format": "channels_last", "dtype": weight.dtype.name}
    conv = keras.layers.Conv2D(1, weight.shape, **options)
    conv.build((None, None, None, 1))
    conv.set_weights([weight[:, :, None, None]])
    return conv


def learn_kernel(
    conv: Any,
    X: Tensor,
    Y: Tensor,
    lr: Any,
    epochs: int,
    total: Callable[[Tensor], Tensor] = tf.reduce_sum,
    report: Callable[[int, float], None] = print,
) -> Tensor:
    """Gradient descent on the squared error, with the gradient that TensorFlow finds."""
    weight = conv.trainable_variables[0]
    for epoch in range(1, epochs + 1):
        with tf.GradientTape() as tape:
            D = conv(X) - Y
            loss = total(D * D)
        gradient = tape.gradient(loss, weight)
        weight.assign(weight - lr * gradient)
        report(epoch, float(loss))
    return tf.convert_to_tensor(weight)


def gradients(net: Any, loss_of: Loss, X: Tensor, labels: Any) -> tuple[float, Tensor, Any]:
    """The loss, the logits, and how the loss changes with each parameter."""
    with tf.GradientTape() as tape:
        logits = net(X)
        loss = loss_of(logits, labels)
    parameters = [variable.value for variable in net.trainable_variables]
    return float(loss), logits, tape.gradient(loss, parameters)


def train_step(net: Any, loss_of: Loss, X: Tensor, labels: Any, lr: Any) -> tuple[float, Tensor]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    loss, logits, found = gradients(net, loss_of, X, labels)
    for variable, gradient in zip(net.trainable_variables, found, strict=True):
        variable.assign(variable - lr * gradient)
    return loss, logits
