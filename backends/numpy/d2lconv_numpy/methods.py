"""The ways to a cross-correlation in NumPy."""

from typing import Any

import numpy as np

from d2lconv.core import derivatives, pieces
from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.contract import cropped, padded
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry, power_of_two
from d2lconv.core.places import BLOCK, band_places
from d2lconv_numpy import exact, rounded
from d2lconv_numpy.autodiff import bilinear, differentiable
from d2lconv_numpy.exact import by_group, kernel_by_group


def loop(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The double loop: each output element is the sum of one window times its kernel."""
    X = by_group(padded(X, geometry), geometry)
    outputs, (sh, sw), (dh, dw) = geometry.in_groups[1], geometry.stride, geometry.dilation
    kh, kw = geometry.kernel[2:]
    Y = np.zeros((len(X), *geometry.shape[1:]), X.dtype)
    for n, o, i, j in np.ndindex(*Y.shape):
        top, left = i * sh, j * sw
        rows = slice(top, top + (kh - 1) * dh + 1, dh)
        columns = slice(left, left + (kw - 1) * dw + 1, dw)
        Y[n, o, i, j] = (X[n, o // outputs, :, rows, columns] * K[o]).sum()
    return Y


def windows(X: Tensor, geometry: Geometry) -> Tensor:
    """The windows of images (n, c, h, w) as columns: (n, g, c/g * kh * kw, H * W)."""
    X = by_group(padded(X, geometry), geometry)
    parts = [X[..., rows, columns] for _, _, rows, columns in geometry.taps()]
    H, W = geometry.output
    return np.stack(parts, axis=3).reshape(*X.shape[:2], geometry.products, H * W)


def matmul(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """One matrix product: the kernels as rows, times the windows as columns."""
    Y = _rows(K, geometry) @ windows(X, geometry)
    return Y.reshape(len(X), *geometry.shape[1:])


def matmul_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the windows, added up where they overlap."""
    (H, W), channels = geometry.output, geometry.in_groups[0]
    parts = _rows(K, geometry).swapaxes(1, 2) @ _outputs(G, geometry)
    parts = parts.reshape(len(G), geometry.groups, channels, -1, H, W)
    dX = np.zeros((len(G), geometry.groups, channels, *geometry.padded), G.dtype)
    for number, (_, _, rows, columns) in enumerate(geometry.taps()):
        dX[..., rows, columns] += parts[:, :, :, number]
    return cropped(dX.reshape(len(G), -1, *geometry.padded), geometry)


def matmul_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the kernels."""
    products = _outputs(G, geometry) @ windows(X, geometry).swapaxes(2, 3)
    return products.sum(0).reshape(geometry.kernel)


def _rows(K: Tensor, geometry: Geometry) -> Tensor:
    """The kernels as rows: (g, o/g, c/g * kh * kw)."""
    return K.reshape(geometry.groups, -1, geometry.products)


def _outputs(G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient at the output, an output a row: (n, g, o/g, H * W)."""
    return G.reshape(len(G), geometry.groups, geometry.in_groups[1], -1)


def native(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """NumPy's tensordot over sliding windows; NumPy has no convolution of images."""
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    kh, kw = geometry.kernel[2:]
    size = (kh - 1) * dh + 1, (kw - 1) * dw + 1
    X = by_group(padded(X, geometry), geometry)
    slide: Any = np.lib.stride_tricks.sliding_window_view
    found = slide(X, size, (3, 4))[:, :, :, ::sh, ::sw, ::dh, ::dw]
    if geometry.is_simple:  # einsum copies no windows, and there is no product of large matrices
        return np.einsum("ijab,ab->ij", found[0, 0, 0], K[0, 0])[None, None]
    kernels = K.reshape(kernel_by_group(geometry))
    pairs = [(k, x) for image in found for k, x in zip(kernels, image, strict=True)]
    Y = [np.tensordot(k, x, ((1, 2, 3), (0, 3, 4))) for k, x in pairs]
    return np.reshape(Y, (len(X), *geometry.shape[1:]))


def fft(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = geometry.output
    size = [power_of_two(side) for side in geometry.image[2:]]
    product = np.fft.rfft2(X, size) * np.conj(np.fft.rfft2(K, size))
    return np.fft.irfft2(product, size)[..., :H, :W].astype(X.dtype)


def banded(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    (H, W), (kh, kw) = geometry.output, geometry.kernel[2:]
    n = min(W, BLOCK)
    count = -(-W // n)
    bands = toeplitz(K, band_places((kh, kw), n))
    X = np.pad(X[0, 0], ((0, 0), (0, count * n - W)))
    blocks = np.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])
    Y = blocks[:, :H] @ bands[0]
    for a in range(1, kh):
        Y += blocks[:, a : a + H] @ bands[a]
    return Y.transpose(1, 0, 2).reshape(1, 1, H, count * n)[..., :W].copy()


_by_matmul = matmul_image_gradient, matmul_kernel_gradient

PIECES = pieces.pieces(differentiable, rounded.on_host)

METHODS = {
    "exact": bilinear(exact.corr2d, exact.image_gradient, exact.kernel_gradient),
    "rounded": pieces.convolution(differentiable, PIECES, rounded.on_host),
    "loop": bilinear(loop, *_by_matmul),
    "matmul": bilinear(matmul, *_by_matmul),
    "native": bilinear(native, *_by_matmul),
    "fft": bilinear(fft, *_by_matmul),
    "banded": bilinear(banded, *_by_matmul),
}

POOLS = pieces.poolings(differentiable, rounded.on_host, exact)

add_bias = derivatives.bias(differentiable, exact.add_bias, exact.bias_gradient, exact.spread)


def compiled(method: str, run: Operation) -> Operation:
    """A method's work on tensors of certain shapes, ready to be done often: as it is."""
    return run


def toeplitz(K: Tensor, places: Any) -> Tensor:
    """The elements of a kernel (kh, kw) at their places in a matrix; 0 at the place after them."""
    return np.append(K, K.dtype.type(0))[places]
