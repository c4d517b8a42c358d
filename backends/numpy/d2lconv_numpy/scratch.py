"""The lesson from scratch, in NumPy: what notebooks, page and slides show."""

from collections.abc import Callable
from typing import Any

import numpy as np

from d2lconv.core.contract import FloatArray as Tensor


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """Each output element is the sum of one window times the kernel."""
    kh, kw = K.shape
    Y = np.zeros((X.shape[0] - kh + 1, X.shape[1] - kw + 1), X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
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
    return np.stack([part.reshape(-1) for part in parts], axis=1)


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """The same sums as one matrix product: the windows times the kernel."""
    kh, kw = K.shape
    Y = im2col(X, (kh, kw)) @ K.reshape(-1)
    return Y.reshape(X.shape[0] - kh + 1, X.shape[1] - kw + 1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix that does to an image what the kernel does: in each row, the kernel in zeros."""
    (h, w), (kh, kw) = input_shape, K.shape
    rows = [
        np.pad(K, ((i, h - kh - i), (j, w - kw - j))).reshape(-1)
        for i in range(h - kh + 1)
        for j in range(w - kw + 1)
    ]
    return np.stack(rows)


def pad(X: Tensor, padding: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """The image in a frame of zeros, so many rows above and below it, and columns at its sides."""
    (top, bottom), (left, right) = padding
    return np.pad(X, ((top, bottom), (left, right)))


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
    return np.stack([corr2d_multi_in(X, k) for k in K])


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    """A kernel of 1x1: the same matrix product at every pixel."""
    channels, h, w = X.shape
    Y = K.reshape(len(K), channels) @ X.reshape(channels, h * w)
    return Y.reshape(len(K), h, w)


def pool2d(X: Tensor, size: tuple[int, int], mode: str = "max") -> Tensor:
    """Each output element is the maximum, or the mean, of one window."""
    h, w = size
    Y = np.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            Y[i, j] = window.max() if mode == "max" else window.mean()
    return Y


class Conv2D:
    """A layer: a cross-correlation with a kernel that can be learned, plus a bias."""

    def __init__(self, kernel_size: tuple[int, int], seed: int = 0) -> None:
        self.weight = np.random.default_rng(seed).random(kernel_size, np.float32)
        self.bias = np.zeros(1, np.float32)

    def __call__(self, X: Tensor) -> Tensor:
        return shift_and_add(X, self.weight) + self.bias


def kernel_gradient(X: Tensor, G: Tensor, total: Callable[[Tensor], Tensor] = np.sum) -> Tensor:
    """How the loss changes with each element of the kernel, for its gradient G at the output."""
    H, W = G.shape
    kh, kw = X.shape[0] - H + 1, X.shape[1] - W + 1
    dK = [[total(X[a : a + H, b : b + W] * G) for b in range(kw)] for a in range(kh)]
    return np.array(dK)


def learn_kernel(
    conv: Any,
    X: Tensor,
    Y: Tensor,
    lr: Any,
    epochs: int,
    total: Callable[[Tensor], Tensor] = np.sum,
    report: Callable[[int, float], None] = print,
) -> Tensor:
    """Gradient descent on the squared error, with the gradient written out by hand."""
    for epoch in range(1, epochs + 1):
        D = conv(X) - Y
        loss = total(D * D)
        conv.weight -= lr * kernel_gradient(X, D + D, total)
        report(epoch, float(loss))
    weight: Tensor = conv.weight
    return weight


def train_step(
    net: Any, gradients: Callable[..., Any], X: Tensor, labels: Any, lr: Any
) -> tuple[float, Tensor]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    loss, logits, found = gradients(net, X, labels)
    for name, p in net.parameters().items():
        p -= lr * found[name]
    return loss, logits
