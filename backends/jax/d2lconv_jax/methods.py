"""The ways to a cross-correlation in JAX."""

from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array as Tensor
from jax import lax

from d2lconv.core import derivatives, pieces
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry, power_of_two
from d2lconv.core.places import BLOCK, band_places
from d2lconv_jax import exact, rounded
from d2lconv_jax.autodiff import bilinear, differentiable
from d2lconv_jax.exact import by_group, cropped, padded
from d2lconv_jax.private import outside
from d2lconv_jax.runtime import alone
from d2lconv_jax.tensors import wide

HIGHEST = lax.Precision.HIGHEST


def loop(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The double loop: each output element is the sum of one window times its kernel."""
    X = by_group(padded(X, geometry), geometry)
    outputs, (sh, sw), (dh, dw) = geometry.in_groups[1], geometry.stride, geometry.dilation
    channels, kh, kw = geometry.kernel[1:]
    shape = X.shape[0], *geometry.shape[1:]
    size = 1, 1, channels, (kh - 1) * dh + 1, (kw - 1) * dw + 1

    def set_element(place: Any, Y: Tensor) -> Tensor:
        n, o, i, j = jnp.unravel_index(place, shape)
        window = lax.dynamic_slice(X, (n, o // outputs, 0, i * sh, j * sw), size)
        return Y.at[n, o, i, j].set((window[0, 0, :, ::dh, ::dw] * K[o]).sum())

    return lax.fori_loop(0, prod(shape), set_element, jnp.zeros(shape, X.dtype))


@wide
def windows(X: Tensor, geometry: Geometry) -> Tensor:
    """The windows of images (n, c, h, w) as columns: (n, g, c/g * kh * kw, H * W).

    First their rows, then their columns: each slice is an operation that JAX compiles.
    """
    X = by_group(padded(X, geometry), geometry)
    X = jnp.stack([X[..., some, :] for some in geometry.rows], axis=3)
    X = jnp.stack([X[..., some] for some in geometry.columns], axis=4)
    return X.reshape(*X.shape[:2], geometry.products, -1)


def matmul(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """One matrix product: the kernels as rows, times the windows as columns."""
    Y = jnp.matmul(_rows(K, geometry), windows(X, geometry), precision=HIGHEST)
    return Y.reshape(X.shape[0], *geometry.shape[1:])


def matmul_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the windows, added up where they overlap."""
    (H, W), channels = geometry.output, geometry.in_groups[0]
    turned = _rows(K, geometry).swapaxes(1, 2)
    parts = jnp.matmul(turned, _outputs(G, geometry), precision=HIGHEST)
    lead, (h, w), (kh, kw) = parts.shape[:2], geometry.padded, geometry.kernel[2:]
    parts = parts.reshape(*lead, channels, kh, kw, H, W)
    lines = jnp.zeros((*lead, channels, kh, H, w), G.dtype)
    for b, some in enumerate(geometry.columns):
        lines = lines.at[..., some].add(parts[..., b, :, :])
    dX = jnp.zeros((*lead, channels, h, w), G.dtype)
    for a, some in enumerate(geometry.rows):
        dX = dX.at[..., some, :].add(lines[:, :, :, a])
    return cropped(dX.reshape(G.shape[0], -1, h, w), geometry)


def matmul_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the kernels."""
    columns = windows(X, geometry).swapaxes(2, 3)
    products = jnp.matmul(_outputs(G, geometry), columns, precision=HIGHEST)
    return products.sum(0).reshape(geometry.kernel)


def _rows(K: Tensor, geometry: Geometry) -> Tensor:
    """The kernels as rows: (g, o/g, c/g * kh * kw)."""
    return K.reshape(geometry.groups, -1, geometry.products)


def _outputs(G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient at the output, an output a row: (n, g, o/g, H * W)."""
    return G.reshape(G.shape[0], geometry.groups, geometry.in_groups[1], -1)


def native(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """JAX's own convolution, which sums in an order of its own."""
    return lax.conv_general_dilated(
        X,
        K,
        geometry.stride,
        geometry.padding,
        rhs_dilation=geometry.dilation,
        feature_group_count=geometry.groups,
        precision=HIGHEST,
    )


def native_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """JAX's own gradient with respect to the images."""
    like = jax.ShapeDtypeStruct((G.shape[0], *geometry.image[1:]), G.dtype)
    (dX,) = jax.linear_transpose(lambda X: native(X, K, geometry), like)(G)
    return dX


def native_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """JAX's own gradient with respect to the kernels."""
    like = jax.ShapeDtypeStruct(geometry.kernel, G.dtype)
    (dK,) = jax.linear_transpose(lambda K: native(X, K, geometry), like)(G)
    return dK


def fft(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = geometry.output
    size = [power_of_two(side) for side in geometry.image[2:]]
    x, k = (t.astype(jnp.promote_types(t.dtype, jnp.float32)) for t in (X, K))  # no half FFT
    product = jnp.fft.rfft2(x, size) * jnp.conj(jnp.fft.rfft2(k, size))
    return jnp.fft.irfft2(product, size)[..., :H, :W].astype(X.dtype)


def banded(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    (H, W), (kh, kw) = geometry.output, geometry.kernel[2:]
    n = min(W, BLOCK)
    count = -(-W // n)
    bands = toeplitz(K, band_places((kh, kw), n))
    X = jnp.pad(X[0, 0], ((0, 0), (0, count * n - W)))
    blocks = jnp.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])

    def add(Y: Tensor, row: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        a, band = row
        part = lax.dynamic_slice(blocks, (0, a, 0), (count, H, n + kw - 1))
        return Y + jnp.matmul(part.reshape(count * H, -1), band, precision=HIGHEST), None

    Y, _ = lax.scan(add, jnp.zeros((count * H, n), X.dtype), (jnp.arange(kh), bands))
    Y = Y.reshape(count, H, n).transpose(1, 0, 2)
    return Y.reshape(1, 1, H, count * n)[..., :W]


_by_matmul = matmul_image_gradient, matmul_kernel_gradient

PIECES = pieces.pieces(differentiable, rounded.on_host)

METHODS = {
    "exact": bilinear(exact.corr2d, exact.image_gradient, exact.kernel_gradient),
    "rounded": pieces.convolution(differentiable, PIECES, rounded.on_host),
    "loop": bilinear(loop, *_by_matmul),
    "matmul": bilinear(matmul, *_by_matmul),
    "native": bilinear(native, native_image_gradient, native_kernel_gradient),
    "fft": bilinear(fft, *_by_matmul),
    "banded": bilinear(banded, *_by_matmul),
}

POOLS = pieces.poolings(differentiable, rounded.on_host, exact)

add_bias = derivatives.bias(differentiable, exact.add_bias, exact.bias_gradient, exact.spread)


def compiled(method: str, run: Operation) -> Operation:
    """A method's work on tensors of certain shapes: a program of our own where nothing is traced.

    For small images that is several times faster than one operation after the other.
    """
    if method == "rounded":
        return wide(run)
    program = alone(run)
    traced = wide(run)

    def choose(*tensors: Tensor) -> Tensor:
        return program(*tensors) if outside() else traced(*tensors)

    return choose


@wide
def toeplitz(K: Tensor, places: Any) -> Tensor:
    """The elements of a kernel (kh, kw) at their places in a matrix; 0 at the place after them."""
    return jnp.append(K, jnp.zeros((), K.dtype))[places]
