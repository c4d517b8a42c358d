"""The ways to a cross-correlation in PyTorch."""

from functools import cache, wraps
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional, grad

from d2lconv.core import derivatives, pieces
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry, power_of_two
from d2lconv.core.options import Pair
from d2lconv.core.places import BLOCK, band_places
from d2lconv_torch import exact, rounded
from d2lconv_torch.autodiff import bilinear, differentiable
from d2lconv_torch.exact import by_group, cropped, padded
from d2lconv_torch.private import autocast_is_on
from d2lconv_torch.tensors import without_autocast


def _in_own_type(function: Operation) -> Operation:
    """A method whose steps torch.autocast would do in another type, without that."""

    @wraps(function)
    def call(A: Tensor, B: Tensor, geometry: Geometry) -> Any:
        if not autocast_is_on():
            return function(A, B, geometry)
        with without_autocast(A):
            return function(A, B, geometry)

    return call


def loop(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The double loop: each output element is the sum of one window times its kernel."""
    X = by_group(padded(X, geometry), geometry)
    outputs, (sh, sw), (dh, dw) = geometry.in_groups[1], geometry.stride, geometry.dilation
    kh, kw = geometry.kernel[2:]
    Y = X.new_zeros((len(X), *geometry.shape[1:]))
    for n, o, i, j in np.ndindex(*Y.shape):
        top, left = i * sh, j * sw
        rows = slice(top, top + (kh - 1) * dh + 1, dh)
        columns = slice(left, left + (kw - 1) * dw + 1, dw)
        Y[n, o, i, j] = (X[n, o // outputs, :, rows, columns] * K[o]).sum()
    return Y


def windows(X: Tensor, geometry: Geometry) -> Tensor:
    """The windows of images (n, c, h, w) as columns: (n, g, c/g * kh * kw, H * W)."""
    X, (sh, sw), (dh, dw) = padded(X, geometry), geometry.stride, geometry.dilation
    image, channel, down, right = X.stride()
    size = (*X.shape[:2], *geometry.kernel[2:], *geometry.output)
    steps = image, channel, dh * down, dw * right, sh * down, sw * right
    found = X.as_strided(size, steps, X.storage_offset())  # without a copy
    return found.reshape(len(X), geometry.groups, geometry.products, -1)


@_in_own_type
def matmul(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """One matrix product: the kernels as rows, times the windows as columns."""
    Y = _rows(K, geometry) @ windows(X, geometry)
    return Y.reshape(len(X), *geometry.shape[1:])


@_in_own_type
def matmul_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the windows, added up where they overlap."""
    parts = _rows(K, geometry).transpose(1, 2) @ _outputs(G, geometry)
    options = {"dilation": geometry.dilation, "stride": geometry.stride}
    size, kernel = geometry.padded, geometry.kernel[2:]
    dX = functional.fold(parts.flatten(1, 2), size, kernel, **options)
    return cropped(dX, geometry)


@_in_own_type
def matmul_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the kernels."""
    products = _outputs(G, geometry) @ windows(X, geometry).transpose(2, 3)
    return products.sum(0).reshape(geometry.kernel)


def _rows(K: Tensor, geometry: Geometry) -> Tensor:
    """The kernels as rows: (g, o/g, c/g * kh * kw)."""
    return K.reshape(geometry.groups, -1, geometry.products)


def _outputs(G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient at the output, an output a row: (n, g, o/g, H * W)."""
    return G.reshape(len(G), geometry.groups, geometry.in_groups[1], -1)


@_in_own_type
def native(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """PyTorch's own convolution, which sums in an order of its own."""
    X, options = arguments(X, geometry)
    return functional.conv2d(X, K, None, *options)


@_in_own_type
def native_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """PyTorch's own gradient with respect to the images."""
    options = geometry.stride, 0, geometry.dilation, geometry.groups
    shape = len(G), geometry.image[1], *geometry.padded
    dX: Tensor = grad.conv2d_input(shape, K, G, *options)  # type: ignore[no-untyped-call]
    return cropped(dX, geometry)


@_in_own_type
def native_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """PyTorch's own gradient with respect to the kernels."""
    X, options = arguments(X, geometry)
    dK: Tensor = grad.conv2d_weight(  # type: ignore[no-untyped-call]
        X, geometry.kernel, G, *options
    )
    return dK


def arguments(X: Tensor, geometry: Geometry) -> tuple[Tensor, tuple[Pair, Pair, Pair, int]]:
    """The images, padded if their padding differs from side to side, and PyTorch's options."""
    (top, bottom), (left, right) = geometry.padding
    padding = top, left
    if padding != (bottom, right):
        X, padding = padded(X, geometry), (0, 0)
    return X, (geometry.stride, padding, geometry.dilation, geometry.groups)


def fft(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = geometry.output
    size = [power_of_two(side) for side in geometry.image[2:]]
    x, k = (t.float() if t.dtype == torch.float16 else t for t in (X, K))  # it has no half FFT
    product = torch.fft.rfft2(x, size) * torch.fft.rfft2(k, size).conj()
    Y: Tensor = torch.fft.irfft2(product, size)
    return Y[..., :H, :W].to(X.dtype)


@_in_own_type
def banded(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    (H, W), (kh, kw) = geometry.output, geometry.kernel[2:]
    n = min(W, BLOCK)
    count = -(-W // n)
    elements = torch.cat([K.reshape(-1), K.new_zeros(1)])
    bands = elements[_band_places(kh, kw, n)]
    X = functional.pad(X[0, 0], (0, count * n - W))
    blocks = X.unfold(1, n + kw - 1, n).transpose(0, 1).contiguous()
    Y = blocks[:, :H] @ bands[0]
    for a in range(1, kh):
        Y = Y.baddbmm(blocks[:, a : a + H], bands[a].expand(count, -1, -1))
    return Y.transpose(0, 1).reshape(1, 1, H, count * n)[..., :W].contiguous()


@cache
def _band_places(kh: int, kw: int, columns: int) -> Tensor:
    return torch.from_numpy(band_places((kh, kw), columns))


_by_matmul = matmul_image_gradient, matmul_kernel_gradient

PIECES = pieces.pieces(differentiable, rounded.on_host, rounded.ARITHMETIC)

METHODS = {
    "exact": bilinear(exact.corr2d, exact.image_gradient, exact.kernel_gradient),
    "rounded": pieces.convolution(differentiable, PIECES, rounded.on_host, rounded.ARITHMETIC),
    "loop": bilinear(loop, *_by_matmul),
    "matmul": bilinear(matmul, *_by_matmul),
    "native": bilinear(native, native_image_gradient, native_kernel_gradient),
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
    return torch.cat([K.reshape(-1), K.new_zeros(1)])[torch.from_numpy(places)]
