"""The contract: what every backend computes, in words and in code, and with which signatures.

IEEE 754 rounds one addition or one multiplication the same way everywhere. Two programs that do
the same additions and multiplications in the same order therefore get the same bits, provided
that no compiler fuses a multiplication and an addition into one rounding, and that no result is
subnormal (some frameworks flush those to zero). So the contract fixes the order. With an input
``X`` of shape (h, w), a kernel ``K`` of shape (kh, kw), H = h - kh + 1 and W = w - kw + 1:

- **Forward.** ``Y = X[0:H, 0:W] * K[0, 0]``; then, for every further ``(a, b)`` in row-major
  order, ``Y = Y + X[a:a+H, b:b+W] * K[a, b]``.
- **Sum of an array.** A fixed tree: flatten in row-major order; with p the largest power of two
  below the number of elements, add the elements from p on to the first ones, one by one; repeat
  with the p elements that are left, until one is left.
- **Gradient with respect to the kernel**, for a gradient ``G`` of shape (H, W) with respect to
  the output: ``dK[a, b]`` is the sum of ``X[a:a+H, b:b+W] * G``.
- **Gradient with respect to the image.** ``dX = 0``; then, for every ``(a, b)`` in row-major
  order, ``dX[a:a+H, b:b+W] = dX[a:a+H, b:b+W] + K[a, b] * G``.
- **Bias.** ``Y + b``; its gradient is the sum of ``G``.
- **A step of learning.** ``D = corr2d(X, K) - Y``, the loss is the sum of ``D * D``, the gradient
  with respect to the output ``D + D``, and ``K = K - lr * dK``, with ``lr`` rounded to the type
  of ``K`` first.

The functions below spell this out on Python lists, one scalar operation after the other. They are
slow on purpose: they are what the tests hold every backend against.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Window = tuple[FloatArray, FloatArray]


def corr2d(X: FloatArray, K: FloatArray) -> FloatArray:
    """The exact cross-correlation of X (h, w) and K (kh, kw), element by element."""
    (h, w), (kh, kw) = X.shape, K.shape
    Y = np.empty((h - kh + 1, w - kw + 1), X.dtype)
    for i, j in np.ndindex(*Y.shape):
        terms = [X[i + a, j + b] * K[a, b] for a, b in np.ndindex(kh, kw)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        Y[i, j] = total
    return Y


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


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n: the side of a Fourier transform.

    Example:
        >>> [power_of_two(n) for n in (1, 2, 3, 512, 513)]
        [1, 2, 4, 512, 1024]
    """
    return 1 << (n - 1).bit_length()


def kernel_gradient(X: FloatArray, G: FloatArray) -> FloatArray:
    """The gradient of ``corr2d`` with respect to its kernel, given G (H, W) at its output."""
    (h, w), (H, W) = X.shape, G.shape
    dK = np.empty((h - H + 1, w - W + 1), X.dtype)
    for a, b in np.ndindex(*dK.shape):
        dK[a, b] = tree_sum([X[a + i, b + j] * G[i, j] for i, j in np.ndindex(H, W)])
    return dK


def image_gradient(K: FloatArray, G: FloatArray) -> FloatArray:
    """The gradient of ``corr2d`` with respect to its image, given G (H, W) at its output."""
    (kh, kw), (H, W) = K.shape, G.shape
    dX = np.zeros((H + kh - 1, W + kw - 1), K.dtype)
    for a, b in np.ndindex(kh, kw):
        for i, j in np.ndindex(H, W):
            dX[a + i, b + j] = dX[a + i, b + j] + K[a, b] * G[i, j]
    return dX


class Ops(Protocol):
    """The module ``ops`` of a backend."""

    def tensor(self, data: Any, dtype: Any = None) -> Any: ...
    def to_numpy(self, t: Any) -> FloatArray: ...
    def dtype_name(self, t: Any) -> str: ...
    def unusable(self, t: Any) -> str | None: ...
    def has_values(self, t: Any) -> bool: ...
    def cast(self, t: Any, dtype: str) -> Any: ...
    def transpose(self, t: Any) -> Any: ...
    def corr2d(self, X: Any, K: Any, *, method: str = "exact") -> Any: ...
    def conv2d(self, X: Any, K: Any, *, method: str = "exact") -> Any: ...
    def im2col(self, X: Any, kernel_size: tuple[int, int]) -> Any: ...
    def toeplitz(self, K: Any, input_shape: tuple[int, int]) -> Any: ...
    def corr2d_loop(self, X: Any, K: Any) -> Any: ...
    def corr2d_exact(self, X: Any, K: Any) -> Any: ...
    def tree_sum(self, A: Any) -> Any: ...
    def kernel_gradient(self, X: Any, G: Any) -> Any: ...
    def image_gradient(self, K: Any, G: Any) -> Any: ...
    def add_bias(self, Y: Any, b: Any) -> Any: ...
    def corr2d_matmul(self, X: Any, K: Any) -> Any: ...
    def corr2d_native(self, X: Any, K: Any) -> Any: ...
    def corr2d_fft(self, X: Any, K: Any) -> Any: ...
    def corr2d_banded(self, X: Any, K: Any) -> Any: ...
    def corr2d_auto(self, X: Any, K: Any) -> Any: ...
    def vjp(
        self, function: Callable[..., Any], inputs: Sequence[Any], G: Any
    ) -> tuple[Any, list[Any]]: ...


class Layers(Protocol):
    """The module ``layers`` of a backend."""

    def Conv2D(
        self,
        kernel_size: tuple[int, int],
        *,
        weight: Any = None,
        bias: Any = None,
        seed: int = 0,
    ) -> Any: ...

    def gradients(self, layer: Any, X: Any, G: Any) -> dict[str, Any]: ...


class Learning(Protocol):
    """The module ``learning`` of a backend."""

    LAYERS: tuple[str, ...]

    def learn_kernel(
        self,
        X: Any,
        Y: Any,
        initial: FloatArray,
        *,
        lr: float,
        epochs: int,
        layer: str,
        report: Callable[[int, float], None],
    ) -> Any: ...
