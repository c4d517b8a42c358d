"""Cross-correlation in NumPy: the reference."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lconv import checks
from d2lconv.checks import choice, output_shape
from d2lconv.contract import FloatArray as Tensor
from d2lconv.contract import fold, power_of_two
from d2lconv.costs import fastest
from d2lconv.data import FLOATS, operands, to_array
from d2lconv.errors import ArgumentError
from d2lconv.matrices import BLOCK, band_places, kernel_places
from d2lconv_numpy import manifest

Operation = Callable[..., Tensor]

_FLOATS = frozenset(map(np.dtype, FLOATS))


def _quietly(function: Operation) -> Operation:
    """The function, for which overflow and 0 * infinity are values as elsewhere, not warnings."""
    return np.errstate(over="ignore", under="ignore", invalid="ignore")(function)


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new array with the values of data."""
    return to_array(data, dtype)


def to_numpy(t: Tensor) -> Tensor:
    """A new array with the values of t."""
    return to_array(t)


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return t.dtype.name


def unusable(t: Any) -> str | None:
    """What a value is that is no dense array; None, because NumPy has no others."""
    return None


def has_values(t: Tensor) -> bool:
    """Whether an array has values, which it always has."""
    return True


def cast(t: Tensor, dtype: str) -> Tensor:
    """The array in another floating type; the array itself if it has that type."""
    return t.astype(dtype, copy=False)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new array."""
    (t,) = operands("numpy", t=t)
    return t.T.copy()


def _ready(X: Any, K: Any) -> bool:
    """Whether an image and a kernel can be used as they are. Every call asks, so it is quick."""
    if type(X) is not np.ndarray or type(K) is not np.ndarray:
        return False
    if X.ndim != 2 or K.ndim != 2 or not X.size or not K.size:
        return False
    return X.dtype == K.dtype and X.dtype in _FLOATS


def corr2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The cross-correlation of an image X (h, w) with a kernel K (kh, kw)."""
    if not _ready(X, K):
        X, K = operands("numpy", X=X, K=K)
    return _METHODS[choice("method", method, _METHODS)](X, K)


def conv2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The strict convolution: the cross-correlation with the kernel flipped in both axes."""
    if not _ready(X, K):
        X, K = operands("numpy", X=X, K=K)
    return corr2d(X, K[::-1, ::-1], method=method)


def im2col(X: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """The windows of an image X (h, w) as the rows of a matrix (H * W, kh * kw)."""
    (X,) = operands("numpy", X=X)
    kh, kw = checks.kernel_size(kernel_size)
    H, W = output_shape(X.shape, (kh, kw))
    parts = [X[a : a + H, b : b + W] for a in range(kh) for b in range(kw)]
    return np.stack([part.reshape(-1) for part in parts], axis=1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix (H * W, h * w) that does to an image (h, w) what the kernel K (kh, kw) does."""
    (K,) = operands("numpy", K=K)
    places = kernel_places(K.shape, input_shape)
    return np.append(K, K.dtype.type(0))[places]


@_quietly
def corr2d_loop(X: Tensor, K: Tensor) -> Tensor:
    """From scratch: each output element is the sum of one window times the kernel."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    Y = np.zeros((H, W), X.dtype)
    for i in range(H):
        for j in range(W):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y


@_quietly
def corr2d_exact(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add: each kernel element times the part of the image that it slides over."""
    H, W = output_shape(X.shape, K.shape)
    first, *others = np.ndindex(K.shape)
    Y = X[:H, :W] * K[first]
    for a, b in others:
        Y = Y + X[a : a + H, b : b + W] * K[a, b]
    return Y


@_quietly
def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n) along its last axis, always in the same order: a tree of additions."""
    n = A.shape[-1]
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else np.concatenate([sums, A[..., n - p : p]], axis=-1)
        n = p
    return A[..., 0]


@_quietly
def kernel_gradient(X: Tensor, G: Tensor) -> Tensor:
    """dK[a, b] = sum of X[a:a+H, b:b+W] * G, for the gradient G (H, W) at the output."""
    H, W = G.shape
    kh, kw = output_shape(X.shape, G.shape)
    dK = []
    for a in range(kh):
        terms = np.stack([X[a : a + H, b : b + W] * G for b in range(kw)])
        dK.append(tree_sum(terms.reshape(kw, H * W)))
    return np.stack(dK)


@_quietly
def image_gradient(K: Tensor, G: Tensor) -> Tensor:
    """dX[a:a+H, b:b+W] += K[a, b] * G, for the gradient G (H, W) at the output."""
    (kh, kw), (H, W) = K.shape, G.shape
    dX = np.zeros((H + kh - 1, W + kw - 1), G.dtype)
    for a, b in np.ndindex(K.shape):
        dX[a : a + H, b : b + W] += K[a, b] * G
    return dX


@_quietly
def add_bias(Y: Tensor, b: Tensor) -> Tensor:
    """Y + b for a bias b (1,), whose gradient is the tree sum of the gradient at the output."""
    return Y + b


@_quietly
def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """As a matrix product: the windows of the image, one a row, times the kernel as a column."""
    (kh, kw), shape = K.shape, output_shape(X.shape, K.shape)
    return (im2col(X, (kh, kw)) @ K.reshape(-1)).reshape(shape)


@_quietly
def corr2d_native(X: Tensor, K: Tensor) -> Tensor:
    """By NumPy's own einsum over sliding windows; a convolution in two dimensions it has not."""
    output_shape(X.shape, K.shape)
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape)
    return np.einsum("ijab,ab->ij", windows, K)


@_quietly
def corr2d_fft(X: Tensor, K: Tensor) -> Tensor:
    """By the Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = output_shape(X.shape, K.shape)
    size = [power_of_two(side) for side in X.shape]
    product = np.fft.rfft2(X, size) * np.conj(np.fft.rfft2(K, size))
    return np.fft.irfft2(product, size)[:H, :W].astype(X.dtype)


@_quietly
def corr2d_banded(X: Tensor, K: Tensor) -> Tensor:
    """By matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    n = min(W, BLOCK)
    count = -(-W // n)
    bands = np.append(K, K.dtype.type(0))[band_places((kh, kw), n)]
    X = np.pad(X, ((0, 0), (0, count * n - W)))
    blocks = np.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])
    Y = blocks[:, :H] @ bands[0]
    for a in range(1, kh):
        Y += blocks[:, a : a + H] @ bands[a]
    return Y.transpose(1, 0, 2).reshape(H, count * n)[:, :W].copy()


def corr2d_auto(X: Tensor, K: Tensor) -> Tensor:
    """By the method that should be the fastest for these shapes: see :mod:`d2lconv.costs`."""
    return _METHODS[fastest(manifest, X.shape, K.shape)](X, K)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    raise ArgumentError("NumPy does not differentiate: use the backend of a framework.")


_METHODS = {
    "exact": corr2d_exact,
    "loop": corr2d_loop,
    "matmul": corr2d_matmul,
    "native": corr2d_native,
    "fft": corr2d_fft,
    "banded": corr2d_banded,
    "auto": corr2d_auto,
}
