"""The lesson from scratch, in JAX: what notebooks, page and slides show."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array as Tensor

Loss = Callable[[Tensor, Any], Tensor]  # of logits and labels


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """Each output element is the sum of one window times the kernel."""
    kh, kw = K.shape
    Y = jnp.zeros((X.shape[0] - kh + 1, X.shape[1] - kw + 1), dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y = Y.at[i, j].set((X[i : i + kh, j : j + kw] * K).sum())
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
    return jnp.stack([part.reshape(-1) for part in parts], axis=1)


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """The same sums as one matrix product: the windows times the kernel."""
    kh, kw = K.shape
    Y = im2col(X, (kh, kw)) @ K.reshape(-1)
    return Y.reshape(X.shape[0] - kh + 1, X.shape[1] - kw + 1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix that does to an image what the kernel does: in each row, the kernel in zeros."""
    (h, w), (kh, kw) = input_shape, K.shape
    rows = [
        jnp.pad(K, ((i, h - kh - i), (j, w - kw - j))).reshape(-1)
        for i in range(h - kh + 1)
        for j in range(w - kw + 1)
    ]
    return jnp.stack(rows)


def pad(X: Tensor, padding: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """The image in a frame of zeros, so many rows above and below it, and columns at its sides."""
    (top, bottom), (left, right) = padding
    return jnp.pad(X, ((top, bottom), (left, right)))


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
    return jnp.stack([corr2d_multi_in(X, k) for k in K])


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    """A kernel of 1x1: the same matrix product at every pixel."""
    channels, h, w = X.shape
    Y = K.reshape(len(K), channels) @ X.reshape(channels, h * w)
    return Y.reshape(len(K), h, w)


def pool2d(X: Tensor, size: tuple[int, int], mode: str = "max") -> Tensor:
    """Each output element is the maximum, or the mean, of one window."""
    h, w = size
    Y = jnp.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            Y = Y.at[i, j].set(window.max() if mode == "max" else window.mean())
    return Y


class Conv2D(nn.Module):
    """A layer: a cross-correlation with a kernel that can be learned, plus a bias."""

    kernel_size: tuple[int, int]
    seed: int = 0

    def setup(self) -> None:
        start = np.random.default_rng(self.seed).random(self.kernel_size, np.float32)
        self.weight = self.param("weight", lambda key: jnp.asarray(start))
        self.bias = self.param("bias", nn.initializers.zeros, (1,))

    def __call__(self, X: Tensor) -> Tensor:
        return shift_and_add(X, self.weight) + self.bias


def builtin_layer(weight: Tensor) -> nn.Conv:
    """Flax's own layer, starting from a kernel, for images (batch, height, width, channel)."""
    kh, kw = weight.shape
    return nn.Conv(
        1,
        (kh, kw),
        padding="VALID",
        use_bias=False,
        param_dtype=weight.dtype,
        kernel_init=lambda key, shape, dtype: weight[:, :, None, None],
    )


def learn_kernel(
    conv: Any,
    X: Tensor,
    Y: Tensor,
    lr: Any,
    epochs: int,
    total: Callable[[Tensor], Tensor] = jnp.sum,
    report: Callable[[int, float], None] = print,
) -> Tensor:
    """Gradient descent on the squared error, with the gradient that JAX finds."""

    def squared_error(params: Any) -> Tensor:
        D = conv.apply(params, X) - Y
        return total(D * D)

    params = conv.init(jax.random.key(0), X)
    for epoch in range(1, epochs + 1):
        loss, gradients = jax.value_and_grad(squared_error)(params)
        params = jax.tree.map(lambda p, g: p - lr * g, params, gradients)
        report(epoch, loss.item())
    weight: Tensor = jax.tree.leaves(params)[-1]
    return weight


def gradients(params: Any, net: Any, loss_of: Loss, X: Tensor, labels: Any) -> Any:
    """The loss and the logits, and how the loss changes with each parameter."""

    def loss(params: Any) -> tuple[Tensor, Tensor]:
        logits = net.apply(params, X)
        return loss_of(logits, labels), logits

    return jax.value_and_grad(loss, has_aux=True)(params)


def train_step(
    params: Any,
    net: Any,
    loss_of: Loss,
    X: Tensor,
    labels: Any,
    lr: Any,
    differentiate: Callable[..., Any] = gradients,
) -> tuple[Any, float, Tensor]:
    """A step of stochastic gradient descent: parameters, and the loss and logits before it."""
    (loss, logits), found = differentiate(params, net, loss_of, X, labels)
    params = jax.tree.map(lambda p, g: p - lr * g, params, found)
    return params, loss.item(), logits
