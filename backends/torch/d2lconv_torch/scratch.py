"""The lesson from scratch, in PyTorch: what notebooks, page and slides show."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

Loss = Callable[[Tensor, Any], Tensor]  # of logits and labels


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """Each output element is the sum of one window times the kernel."""
    kh, kw = K.shape
    Y = torch.zeros((X.shape[0] - kh + 1, X.shape[1] - kw + 1), dtype=X.dtype)
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
    return torch.stack([part.reshape(-1) for part in parts], dim=1)


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """The same sums as one matrix product: the windows times the kernel."""
    kh, kw = K.shape
    Y = im2col(X, (kh, kw)) @ K.reshape(-1)
    return Y.reshape(X.shape[0] - kh + 1, X.shape[1] - kw + 1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix that does to an image what the kernel does: in each row, the kernel in zeros."""
    (h, w), (kh, kw) = input_shape, K.shape
    rows = [
        functional.pad(K, (j, w - kw - j, i, h - kh - i)).reshape(-1)
        for i in range(h - kh + 1)
        for j in range(w - kw + 1)
    ]
    return torch.stack(rows)


def pad(X: Tensor, padding: tuple[tuple[int, int], tuple[int, int]]) -> Tensor:
    """The image in a frame of zeros, so many rows above and below it, and columns at its sides."""
    (top, bottom), (left, right) = padding
    return functional.pad(X, (left, right, top, bottom))


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
    return torch.stack([corr2d_multi_in(X, k) for k in K])


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    """A kernel of 1x1: the same matrix product at every pixel."""
    channels, h, w = X.shape
    Y = K.reshape(len(K), channels) @ X.reshape(channels, h * w)
    return Y.reshape(len(K), h, w)


def pool2d(X: Tensor, size: tuple[int, int], mode: str = "max") -> Tensor:
    """Each output element is the maximum, or the mean, of one window."""
    h, w = size
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1), dtype=X.dtype)
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            window = X[i : i + h, j : j + w]
            Y[i, j] = window.max() if mode == "max" else window.mean()
    return Y


class Conv2D(nn.Module):
    """A layer: a cross-correlation with a kernel that can be learned, plus a bias."""

    def __init__(self, kernel_size: tuple[int, int], seed: int = 0) -> None:
        super().__init__()
        start = np.random.default_rng(seed).random(kernel_size, np.float32)
        self.weight = nn.Parameter(torch.from_numpy(start))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, X: Tensor) -> Tensor:
        return shift_and_add(X, self.weight) + self.bias


def builtin_layer(weight: Tensor) -> nn.Conv2d:
    """PyTorch's own layer, starting from a kernel, for images (batch, channel, height, width)."""
    kh, kw = weight.shape
    conv = nn.Conv2d(1, 1, (kh, kw), bias=False, dtype=weight.dtype)
    conv.weight = nn.Parameter(weight[None, None])
    return conv


def learn_kernel(
    conv: Any,
    X: Tensor,
    Y: Tensor,
    lr: Any,
    epochs: int,
    total: Callable[[Tensor], Tensor] = torch.sum,
    report: Callable[[int, float], None] = print,
) -> Tensor:
    """Gradient descent on the squared error, with the gradient that PyTorch finds."""
    for epoch in range(1, epochs + 1):
        D = conv(X) - Y
        loss = total(D * D)
        (gradient,) = torch.autograd.grad(loss, [conv.weight])
        with torch.no_grad():
            conv.weight -= lr * gradient
        report(epoch, loss.item())
    weight: Tensor = conv.weight
    return weight.detach()


def gradients(net: Any, loss_of: Loss, X: Tensor, labels: Any) -> tuple[float, Tensor, Any]:
    """The loss, the logits, and how the loss changes with each parameter."""
    logits = net(X)
    loss = loss_of(logits, labels)
    return loss.item(), logits, torch.autograd.grad(loss, list(net.parameters()))


def train_step(net: Any, loss_of: Loss, X: Tensor, labels: Any, lr: Any) -> tuple[float, Tensor]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    loss, logits, found = gradients(net, loss_of, X, labels)
    with torch.no_grad():
        for p, gradient in zip(net.parameters(), found, strict=True):
            p -= lr * gradient
    return loss, logits
