"""The ways to a cross-correlation in MXNet."""

from functools import lru_cache, wraps
from math import prod
from typing import Any

import numpy

from d2lconv.core import derivatives, pieces
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry
from d2lconv.core.places import BLOCK, band_places
from d2lconv.errors import ArgumentError
from d2lconv_mxnet import exact, process, rounded  # noqa: F401
from d2lconv_mxnet.autodiff import bilinear, differentiable
from d2lconv_mxnet.exact import NoProgram, by_group, cropped, padded, zeros
from d2lconv_mxnet.tensors import Tensor, cast, type_of

from mxnet import autograd, nd, np, sym  # isort: skip


KEPT = 2**18  # elements of an output that a program keeps memory for


def in_float32(function: Operation) -> Operation:
    """The function, of which MXNet has no float16 on the CPU: there in float32, and rounded."""

    @wraps(function)
    def call(A: Tensor, B: Tensor, geometry: Geometry) -> Tensor:
        if isinstance(A, sym.Symbol) or type_of(A) is not numpy.float16:
            return function(A, B, geometry)
        return cast(function(cast(A, "float32"), cast(B, "float32"), geometry), "float16")

    return call


@in_float32
def loop(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The double loop: each output element is the sum of one window times its kernel.

    The sum is a product of vectors: MXNet's own ``sum`` makes NaN of an infinity.
    """
    X = by_group(padded(X, geometry), geometry)
    outputs, (sh, sw), (dh, dw) = geometry.in_groups[1], geometry.stride, geometry.dilation
    kh, kw = geometry.kernel[2:]
    Y = zeros((len(X), *geometry.shape[1:]), X)
    for n, o, i, j in numpy.ndindex(*Y.shape):
        top, left = i * sh, j * sw
        rows = slice(top, top + (kh - 1) * dh + 1, dh)
        columns = slice(left, left + (kw - 1) * dw + 1, dw)
        window = X[n, o // outputs, :, rows, columns]
        Y[n, o, i, j] = np.dot(window.reshape(-1), K[o].reshape(-1))
    return Y


def windows(X: Tensor, geometry: Geometry) -> Tensor:
    """The windows of images (n, c, h, w) as columns: (n, g, c/g * kh * kw, H * W)."""
    options = {"dilate": geometry.dilation, "stride": geometry.stride}
    X = padded(X, geometry).as_nd_ndarray()
    found = nd.im2col(X, kernel=geometry.kernel[2:], **options).as_np_ndarray()
    return found.reshape(len(X), geometry.groups, geometry.products, -1)


@in_float32
def matmul(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """One matrix product: the kernels as rows, times the windows as columns."""
    Y = _rows(K, geometry) @ windows(X, geometry)
    return Y.reshape(len(X), *geometry.shape[1:])


@in_float32
def matmul_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the windows, added up where they overlap."""
    parts = _rows(K, geometry).swapaxes(1, 2) @ _outputs(G, geometry)
    options = {"dilate": geometry.dilation, "stride": geometry.stride}
    parts = parts.reshape(len(G), -1, prod(geometry.output)).as_nd_ndarray()
    size, kernel = geometry.padded, geometry.kernel[2:]
    dX = nd.col2im(parts, output_size=size, kernel=kernel, **options)
    return cropped(dX.as_np_ndarray(), geometry)


@in_float32
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


@in_float32
def native(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """MXNet's own convolution, which sums in an order of its own."""
    module = sym if isinstance(X, sym.Symbol) else nd
    if module is sym and prod(geometry.shape) > KEPT:
        raise NoProgram
    X, options = arguments(X, geometry)
    return module.Convolution(X.as_nd_ndarray(), K.as_nd_ndarray(), **options).as_np_ndarray()


def native_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """MXNet's own gradient with respect to the images."""
    X = zeros((len(G), geometry.image[1], *geometry.image[2:]), G)
    return _gradient(lambda X: native(X, K, geometry), X, G)


def native_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """MXNet's own gradient with respect to the kernels."""
    return _gradient(lambda K: native(X, K, geometry), zeros(geometry.kernel, G), G)


def _gradient(linear: Operation, leaf: Tensor, G: Tensor) -> Tensor:
    """The gradient of a function that is linear, and so the same wherever it is taken."""
    leaf.attach_grad()
    with autograd.record():
        Y = linear(leaf)
    Y.backward(G)
    return leaf.grad


def arguments(X: Tensor, geometry: Geometry) -> tuple[Tensor, dict[str, Any]]:
    """The images, padded if their padding differs from side to side, and MXNet's options."""
    (top, bottom), (left, right) = geometry.padding
    padding = top, left
    if padding != (bottom, right):
        if isinstance(X, sym.Symbol):
            raise NoProgram
        X, padding = padded(X, geometry), (0, 0)
    return X, {
        "kernel": geometry.kernel[2:],
        "stride": geometry.stride,
        "dilate": geometry.dilation,
        "pad": padding,
        "num_filter": geometry.kernel[0],
        "num_group": geometry.groups,
        "no_bias": True,
    }


def fft(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """MXNet has no Fourier transform on the CPU."""
    allowed = ", ".join(name for name in METHODS if name != "fft")
    raise ArgumentError(
        f"MXNet has no Fourier transform on the CPU, so no method 'fft'. Allowed: {allowed}, auto."
    )


@in_float32
def banded(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    (H, W), (kh, kw) = geometry.output, geometry.kernel[2:]
    n = min(W, BLOCK)
    count = -(-W // n)
    bands = toeplitz(K, band_places((kh, kw), n))
    X = np.concatenate([X[0, 0], zeros((geometry.image[2], n - 1), X)], axis=1)
    X = X[:, : count * n + kw - 1]
    blocks = np.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])
    Y: Tensor = None
    for a in range(kh):
        product = np.dot(blocks[:, a : a + H].reshape(count * H, n + kw - 1), bands[a])
        Y = product if Y is None else Y + product
    Y = Y.reshape(count, H, n).transpose(1, 0, 2).reshape(H, count * n)[:, :W]
    return Y.reshape(geometry.shape)


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
    """A method's work on tensors of certain shapes, ready to be done often.

    Where results are small it becomes a graph that is run by one call.
    """
    if method not in ("exact", "native"):
        return run

    def call(*tensors: Tensor) -> Tensor:
        narrow = method == "native" and type_of(tensors[0]) is numpy.float16
        program = None if narrow or autograd.is_recording() else _program(run, len(tensors))
        return (program or run)(*tensors)

    return call


STATIC = (("static_alloc", True), ("static_shape", True))  # keeps its memory, and is faster


@lru_cache(64)
def _program(run: Operation, count: int) -> Operation | None:
    """What is run, as a graph; None where it had better be done step by step."""
    try:
        steps = run(*(sym.Variable(name).as_np_ndarray() for name in "XKb"[:count]))
    except NoProgram:
        return None
    program: Operation = nd.CachedOp(steps, STATIC)
    return program


def toeplitz(K: Tensor, places: Any) -> Tensor:
    """The elements of a kernel (kh, kw) at their places in a matrix; 0 at the place after them."""
    elements = np.concatenate([K.reshape(-1), zeros((1,), K)])
    return np.take(elements, np.array(places, dtype=places.dtype, ctx=K.ctx))
