"""The ways to a cross-correlation in TensorFlow."""

from math import prod
from typing import Any

import tensorflow as tf

from d2lconv.core import derivatives, pieces
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry, power_of_two
from d2lconv.core.places import BLOCK, band_places
from d2lconv_tf import exact, programs, rounded
from d2lconv_tf.autodiff import bilinear, differentiable
from d2lconv_tf.exact import by_group, cropped, padded, placed

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types


def loop(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The double loop: each output element is the sum of one window times its kernel.

    TensorFlow's tensors cannot be assigned to, so the elements are stacked at the end.
    """
    X = by_group(padded(X, geometry), geometry)
    outputs, (sh, sw), (dh, dw) = geometry.in_groups[1], geometry.stride, geometry.dilation
    (o_, _, kh, kw), (H, W) = geometry.kernel, geometry.output
    Y = []
    for o in range(o_):
        for i in range(H):
            for j in range(W):
                rows = slice(i * sh, i * sh + (kh - 1) * dh + 1, dh)
                columns = slice(j * sw, j * sw + (kw - 1) * dw + 1, dw)
                window = X[:, o // outputs, :, rows, columns]
                Y.append(tf.reduce_sum(window * K[o], axis=(1, 2, 3)))
    return tf.reshape(tf.stack(Y, axis=1), (-1, o_, H, W))


def windows(X: Tensor, geometry: Geometry) -> Tensor:
    """The windows of images (n, c, h, w) as columns: (n, g, c/g * kh * kw, H * W)."""
    X = by_group(padded(X, geometry), geometry)
    parts = [X[..., rows, columns] for _, _, rows, columns in geometry.taps()]
    H, W = geometry.output
    return tf.reshape(tf.stack(parts, axis=3), (-1, geometry.groups, geometry.products, H * W))


def matmul(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """One matrix product: the kernels as rows, times the windows as columns."""
    Y = _rows(K, geometry) @ windows(X, geometry)
    return tf.reshape(Y, (-1, *geometry.shape[1:]))


def matmul_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the windows, added up where they overlap."""
    (H, W), channels = geometry.output, geometry.in_groups[0]
    (kh, kw), groups = geometry.kernel[2:], geometry.groups
    parts = tf.matmul(_rows(K, geometry), _outputs(G, geometry), transpose_a=True)
    parts = tf.reshape(parts, (-1, groups, channels, kh * kw, H, W))
    taps = enumerate(geometry.taps())
    dX = tf.add_n([placed(parts[:, :, :, m], r, s, geometry) for m, (_, _, r, s) in taps])
    return cropped(tf.reshape(dX, (-1, geometry.image[1], *geometry.padded)), geometry)


def matmul_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The product's gradient with respect to the kernels."""
    products = tf.matmul(_outputs(G, geometry), windows(X, geometry), transpose_b=True)
    return tf.reshape(tf.reduce_sum(products, axis=0), geometry.kernel)


def _rows(K: Tensor, geometry: Geometry) -> Tensor:
    """The kernels as rows: (g, o/g, c/g * kh * kw)."""
    return tf.reshape(K, (geometry.groups, -1, geometry.products))


def _outputs(G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient at the output, an output a row: (n, g, o/g, H * W)."""
    H, W = geometry.output
    return tf.reshape(G, (-1, geometry.groups, geometry.in_groups[1], H * W))


def native(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """TensorFlow's own convolution, which sums in an order of its own.

    A kernel of 1x1 is a matrix product, as it is there; so no layout has to be changed.
    """
    if geometry.is_pointwise:
        pixels = tf.reshape(X, (-1, geometry.groups, geometry.products, prod(geometry.output)))
        return tf.reshape(_rows(K, geometry) @ pixels, (-1, *geometry.shape[1:]))
    images, kernels, options = arguments(X, K, geometry)
    return _channels_first(tf.nn.conv2d(images, kernels, **options))


def arguments(X: Tensor, K: Tensor, geometry: Geometry) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Images (n, h, w, c) and kernels (kh, kw, c, o), as TensorFlow has them, and its options."""
    padding = ((0, 0), *geometry.padding, (0, 0))
    options = {"strides": geometry.stride, "padding": padding, "dilations": geometry.dilation}
    return _channels_last(X), tf.transpose(K, (2, 3, 1, 0)), options


def native_image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """TensorFlow's own gradient with respect to the images."""
    if geometry.groups > 1:  # which it has not on a CPU
        return matmul_image_gradient(K, G, geometry)
    _, c, h, w = geometry.image
    dX = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=(tf.shape(G)[0], h, w, c),
        filter=tf.transpose(K, (2, 3, 1, 0)),
        out_backprop=_channels_last(G),
        **_raw_options(geometry),
    )
    return _channels_first(dX)


def native_kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """TensorFlow's own gradient with respect to the kernels."""
    if geometry.groups > 1:
        return matmul_kernel_gradient(X, G, geometry)
    o, c, kh, kw = geometry.kernel
    dK = tf.raw_ops.Conv2DBackpropFilter(
        input=_channels_last(X),
        filter_sizes=(kh, kw, c, o),
        out_backprop=_channels_last(G),
        **_raw_options(geometry),
    )
    return tf.transpose(dK, (3, 2, 0, 1))


def _channels_last(X: Tensor) -> Tensor:
    """The images as (n, h, w, c), the layout that TensorFlow has on every device."""
    return tf.transpose(X, (0, 2, 3, 1)) if X.shape[1] > 1 else X[:, 0, :, :, None]


def _channels_first(Y: Tensor) -> Tensor:
    return tf.transpose(Y, (0, 3, 1, 2)) if Y.shape[3] > 1 else Y[:, None, :, :, 0]


def _raw_options(geometry: Geometry) -> dict[str, Any]:
    """The options of the operations that ``tf.nn`` has no functions for."""
    sides = [side for pair in geometry.padding for side in pair]
    return {
        "strides": (1, *geometry.stride, 1),
        "padding": "EXPLICIT",
        "explicit_paddings": (0, 0, *sides, 0, 0),
        "dilations": (1, *geometry.dilation, 1),
    }


def fft(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = geometry.output
    size = [power_of_two(side) for side in geometry.image[2:]]
    x, k = (tf.cast(t, tf.float32) if t.dtype == tf.float16 else t for t in (X, K))  # no half FFT
    product = tf.signal.rfft2d(x, size) * tf.math.conj(tf.signal.rfft2d(k, size))
    return tf.cast(tf.signal.irfft2d(product, size)[..., :H, :W], X.dtype)


def banded(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    (H, W), (kh, kw) = geometry.output, geometry.kernel[2:]
    n = min(W, BLOCK)
    count = -(-W // n)
    bands = toeplitz(K, band_places((kh, kw), n))
    X = tf.pad(X[0, 0], ((0, 0), (0, count * n - W)))
    blocks = tf.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])
    Y = blocks[:, :H] @ bands[0]
    for a in range(1, kh):
        Y = Y + blocks[:, a : a + H] @ bands[a]
    return tf.reshape(tf.transpose(Y, (1, 0, 2)), (1, 1, H, count * n))[..., :W]


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
    """A method's work on tensors of certain shapes, ready to be done often: as a program."""
    if method in ("loop", "rounded"):  # as slow as it is clear, or on the host
        return run
    return programs.compiled(run, fuses=method in ("exact", "max", "avg"))


def toeplitz(K: Tensor, places: Any) -> Tensor:
    """The elements of a kernel (kh, kw) at their places in a matrix; 0 at the place after them."""
    return tf.gather(tf.concat([tf.reshape(K, (-1,)), tf.zeros(1, K.dtype)], axis=0), places)
