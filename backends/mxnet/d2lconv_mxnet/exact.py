"""The contract in MXNet: shift and add, and the same bits faster for one image and one kernel."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy

from d2lconv.core import contract
from d2lconv.core.geometry import Geometry
from d2lconv.core.shift import folded, max_over, shift_and_add, sum_over
from d2lconv_mxnet.private import piece, scaled
from d2lconv_mxnet.tensors import Tensor, reshape, type_of

from mxnet import nd, np, sym  # isort: skip


class NoProgram(Exception):
    """What is asked to be a program of symbols had better be done step by step."""


def corr2d(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw)."""
    if isinstance(X, sym.Symbol):
        return _all_products(X, K, geometry)
    if geometry.is_simple and type_of(X) is not numpy.float64:
        return _in_place(X, K, geometry)  # the same, faster
    X, K = by_group(padded(X, geometry), geometry), K.reshape(kernel_by_group(geometry))
    return shift_and_add(X, K, geometry).reshape(len(X), *geometry.shape[1:])


def _all_products(X: Any, K: Any, geometry: Geometry) -> Any:
    """Shift and add for symbols of an image and a kernel: all products, then their sum."""
    if not geometry.is_simple or geometry.products > 128:
        raise NoProgram
    if prod(geometry.output) * geometry.products > 2**17:  # which a program keeps memory for
        raise NoProgram
    X, K = X.as_nd_ndarray(), K.reshape((1, -1, 1)).as_nd_ndarray()
    products = sym.broadcast_mul(sym.im2col(X, kernel=geometry.kernel[2:]), K)
    Y, *others = sym.split(products, num_outputs=geometry.products, axis=1)
    while others:
        Y, others = _sum(sym, Y, others[:3]), others[3:]
    return Y.as_np_ndarray().reshape(geometry.shape)


def _sum(module: Any, Y: Any, terms: Sequence[Any], **options: Any) -> Any:
    """Y + terms[0] + ..., three at the most, in that order, by one operation of arrays or symbols.

    MXNet's sum of up to four begins with the last two; that of more takes several times as long.
    """
    return module.add_n(*reversed(terms), Y, **options)


def _in_place(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Shift and add with as little work for Python as can be: it costs more than the arithmetic.

    The image is flattened: so each shifted part of it is a piece of memory and needs no copy. What
    comes out beyond the ends of the output's rows is cut off at the end. Kernel elements are
    numbers, which go to MXNet as decimal digits; it reads these precisely enough for float32, but
    not for float64.
    """
    (H, W), w = geometry.output, geometry.image[3]
    n = H * w - (w - W)
    rows_of_K = enumerate(K.asnumpy()[0, 0].tolist())
    places = [(a * w + b, element) for a, row in rows_of_K for b, element in enumerate(row)]
    flat = X.as_nd_ndarray().reshape((-1,))
    # The last row may end in the first buffer, whose values there are cut off too.
    memory = nd.empty(H * w + 3 * n, dtype=X.dtype, ctx=X.ctx)
    Y, *buffers = (piece(memory, start, start + n) for start in range(0, 4 * n, n))

    def products(some: Sequence[tuple[int, float]], into: Sequence[Any]) -> list[Any]:
        return [
            scaled(piece(flat, start, start + n), element, out=buffer)
            for (start, element), buffer in zip(some, into, strict=False)
        ]

    products(places[:1], [Y])
    for i in range(1, len(places), 3):
        _sum(nd, Y, products(places[i : i + 3], buffers), out=Y)
    rows = piece(memory, 0, H * w).reshape((1, 1, H, w))
    return nd.slice_axis(rows, axis=3, begin=0, end=W).as_np_ndarray()


def image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the images, for the gradient G (n, o, H, W) at the output."""
    K, G = K.reshape(kernel_by_group(geometry)), by_group(G, geometry)
    dX: Tensor = None
    for o in range(G.shape[2]):
        D = zeros((*G.shape[:2], K.shape[2], *geometry.padded), G)
        for a, b, rows, columns in geometry.taps():
            D[..., rows, columns] += K[:, o, :, a, b, None, None] * G[:, :, o, None]
        dX = D if dX is None else dX + D
    return cropped(dX.reshape(len(G), -1, *geometry.padded), geometry)


def kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the kernels, for the gradient G (n, o, H, W) at the output."""
    # Slices of six axes, as the shared text has them here, are too much for MXNet.
    X = by_group(padded(X, geometry), geometry).transpose(2, 1, 0, 3, 4)
    G = by_group(G, geometry).transpose(1, 2, 0, 3, 4)
    taps, kw, dK = list(geometry.taps()), geometry.kernel[3], []
    for channel in X:
        for i in range(0, len(taps), kw):  # a row of the kernel: fewer calls, some more memory
            met = [channel[:, :, rows, columns] for _, _, rows, columns in taps[i : i + kw]]
            terms = [(x[:, None] * G).reshape(*G.shape[:2], -1) for x in met]
            dK.append(tree_of(np.stack(terms, axis=2)))
    return np.concatenate(dK, axis=2).reshape(geometry.kernel)


def padded(X: Tensor, geometry: Geometry, value: float = 0.0) -> Tensor:
    """The images with their padding."""
    (top, bottom), (left, right) = geometry.padding
    if not any((top, bottom, left, right)):
        return X
    # MXNet's older function: np.pad needs a part of NumPy that NumPy 2 has no more.
    width = (0, 0, 0, 0, top, bottom, left, right)
    options = {"mode": "constant", "pad_width": width, "constant_value": value}
    return nd.Pad(X.as_nd_ndarray(), **options).as_np_ndarray()


def cropped(X: Tensor, geometry: Geometry) -> Tensor:
    """Images without their padding."""
    (top, _), (left, _) = geometry.padding
    h, w = geometry.image[2:]
    return X[:, :, top : top + h, left : left + w]


def zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Zeros in the type and at the place of another array."""
    return np.zeros(shape, dtype=like.dtype, ctx=like.ctx)


def by_group(A: Tensor, geometry: Geometry) -> Tensor:
    """The channels (n, c, ...) by group: (n, g, c/g, ...)."""
    return A.reshape(len(A), geometry.groups, -1, *A.shape[2:])


def kernel_by_group(geometry: Geometry) -> tuple[int, ...]:
    """The shape of the kernels by group: (g, o/g, c/g, kh, kw)."""
    return (geometry.groups, -1, *geometry.kernel[1:])


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n, h, w) along its last three axes, as a tree of additions."""
    return tree_of(A.reshape(*A.shape[:-3], -1))


def tree_of(A: Tensor) -> Tensor:
    """The sums of A (..., n) along its last axis, as a tree of additions."""
    return folded(A, lambda parts: np.concatenate(parts, axis=-1))


def add_bias(Y: Tensor, b: Tensor, fixed: None) -> Tensor:
    """Y (n, o, H, W) + b (o,)."""
    return Y + reshape(b, (-1, 1, 1))


def bias_gradient(G: Tensor, fixed: None) -> Tensor:
    """The sums of G (n, o, H, W) over images, rows and columns."""
    return tree_sum(G.swapaxes(0, 1))


def spread(b: Tensor, Y: Tensor) -> Tensor:
    """An array of the shape of Y (n, o, H, W) with the values of b (o,)."""
    return np.broadcast_to(b[:, None, None], Y.shape)


def max_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The maxima of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    return max_over(padded(X, geometry, -numpy.inf), geometry, np.where)[0]


def pick(X: Tensor, V: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The elements of V where X has the maxima of its windows."""
    geometry, _ = fixed
    X, V = padded(X, geometry, -numpy.inf), padded(V, geometry)
    others = [lambda _, rows, columns: V[:, :, rows, columns]]
    return max_over(X, geometry, np.where, *others)[1]


def put_back(X: Tensor, G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """G (n, c, H, W), each element at the place of its window's maximum, added up there."""
    geometry, _ = fixed
    X = padded(X, geometry, -numpy.inf)
    others = [lambda number, rows, columns: np.full(G.shape, number, ctx=G.ctx)]
    taken = max_over(X, geometry, np.where, *others)[1]
    dX = zeros(X.shape, G)
    for number, (_, _, rows, columns) in enumerate(geometry.taps()):
        dX[:, :, rows, columns] += np.where(taken == number, G, 0)
    return cropped(dX, geometry)


def avg_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The means of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    return sum_over(padded(X, geometry), geometry) / counts(X, fixed)


def avg_pool_gradient(G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """Each element of G (n, c, H, W) shared out evenly among its window."""
    geometry, _ = fixed
    D, dX = G / counts(G, fixed), zeros((*G.shape[:2], *geometry.padded), G)
    for _, _, rows, columns in geometry.taps():
        dX[:, :, rows, columns] += D
    return cropped(dX, geometry)


def counts(like: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """How many elements each window has, (H, W), in the type of another array."""
    return np.array(contract.counts(*fixed), dtype=like.dtype, ctx=like.ctx)
