"""The contract in TensorFlow: shift and add, the same text in eager code and in graphs.

In a graph, many steps are few in a loop: one of thousands of operations would take minutes to
trace. What a product, a sum and a barrier are, :mod:`d2lconv_tf.programs` says.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import tensorflow as tf

from d2lconv.core import contract
from d2lconv.core.contract import fold
from d2lconv.core.geometry import Geometry
from d2lconv.core.shift import max_over, shift_and_add, sum_over
from d2lconv_tf.programs import barrier, plus, times

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types

STEPS = 32  # products that a graph adds up one after the other; more of them go in a loop
TERMS = 2**18  # elements whose sums are computed together


def corr2d(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw)."""
    X = by_group(padded(barrier(X), geometry), geometry)
    K = tf.reshape(barrier(K), kernel_by_group(geometry))
    if tf.executing_eagerly() or geometry.products <= STEPS:
        Y = shift_and_add(X, K, geometry, times, plus)
    else:
        Y = _in_loops(X, K, geometry)
    return barrier(tf.reshape(Y, (-1, *geometry.shape[1:])))


def _in_loops(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """Shift and add, in a loop over the channels, and over the rows of a kernel that is large."""
    (channels, kh, kw), (sh, sw) = geometry.kernel[1:], geometry.stride
    (H, W), (dh, dw) = geometry.output, geometry.dilation
    X, K = tf.transpose(X, (2, 0, 1, 3, 4)), tf.transpose(K, (2, 3, 4, 0, 1))

    def add_row(c: Any, a: Any, Y: Tensor | None) -> Tensor:
        n, g = tf.shape(X)[1], geometry.groups
        rows, width = (H - 1) * sh + 1, geometry.padded[1]
        part = tf.slice(X[c], (0, 0, a * dh, 0), (n, g, rows, width))[:, :, None, ::sh]
        for b in range(kw):
            term = times(
                part[..., b * dw : b * dw + (W - 1) * sw + 1 : sw], K[c, a, b, ..., None, None]
            )
            Y = term if Y is None else plus(Y, term)
        return Y

    def channel(c: Any) -> Tensor:
        Y = add_row(c, 0, None)
        if kh * kw <= STEPS:
            for a in range(1, kh):
                Y = add_row(c, a, Y)
            return Y
        return _loop(1, kh, lambda a, Y: add_row(c, a, Y), Y)

    return _loop(1, channels, lambda c, Y: plus(Y, channel(c)), channel(0))


def _loop(start: int, end: int, step: Callable[[Any, Tensor], Tensor], Y: Tensor) -> Tensor:
    """Y after step(i, Y) for each i from start to end."""
    if start == end:
        return Y
    return tf.while_loop(lambda i, _: i < end, lambda i, Y: (i + 1, step(i, Y)), (start, Y))[1]


def image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the images, for the gradient G (n, o, H, W) at the output."""
    K = tf.reshape(barrier(K), kernel_by_group(geometry))
    G = by_group(barrier(G), geometry)
    K, G = tf.transpose(K, (1, 0, 2, 3, 4)), tf.transpose(G, (2, 0, 1, 3, 4))

    def output(o: Any) -> Tensor:
        k, g, D = K[o], G[o][:, :, None], None
        for a, b, rows, columns in geometry.taps():
            term = placed(times(k[..., a, b, None, None], g), rows, columns, geometry)
            D = term if D is None else plus(D, term)
        return D

    outputs, (_, _, kh, kw) = geometry.in_groups[1], geometry.kernel
    dX = output(0)
    if tf.executing_eagerly() or outputs * kh * kw <= STEPS:
        for o in range(1, outputs):
            dX = plus(dX, output(o))
    else:
        dX = _loop(1, outputs, lambda o, dX: plus(dX, output(o)), dX)
    dX = tf.reshape(dX, (-1, geometry.image[1], *geometry.padded))
    return barrier(cropped(not_negative_zero(dX), geometry))


def kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the kernels, for the gradient G (n, o, H, W) at the output."""
    X = tf.transpose(by_group(padded(barrier(X), geometry), geometry), (2, 1, 0, 3, 4))
    G = tf.transpose(by_group(barrier(G), geometry), (1, 2, 0, 3, 4))
    channels, outputs = geometry.in_groups[0], geometry.kernel[0]
    taps = list(geometry.taps())
    size = outputs * (geometry.image[0] or 1) * prod(geometry.output)
    together = max(1, TERMS // size)

    def channel(c: Any) -> Tensor:
        x, sums = X[c], []
        for start in range(0, len(taps), together):
            parts = [x[:, :, r, s] for *_, r, s in taps[start : start + together]]
            terms = times(tf.stack(parts, axis=1)[:, None], G[:, :, None])
            sums.append(tree_sum(terms))  # (g, o, taps)
        return tf.concat(sums, axis=2)

    if tf.executing_eagerly() or channels * len(taps) <= STEPS:
        dK = tf.stack([channel(c) for c in range(channels)])
    else:
        kind = tf.TensorSpec((geometry.groups, geometry.in_groups[1], len(taps)), G.dtype)
        dK = tf.map_fn(channel, tf.range(channels), fn_output_signature=kind)
    return barrier(tf.reshape(tf.transpose(dK, (1, 2, 0, 3)), geometry.kernel))


def padded(X: Tensor, geometry: Geometry, value: float = 0.0) -> Tensor:
    """The images with their padding."""
    if geometry.padded == geometry.image[2:]:
        return X
    return tf.pad(X, ((0, 0), (0, 0), *geometry.padding), constant_values=value)


def cropped(X: Tensor, geometry: Geometry) -> Tensor:
    """Images without their padding."""
    (top, _), (left, _) = geometry.padding
    h, w = geometry.image[2:]
    return X[:, :, top : top + h, left : left + w]


def placed(t: Tensor, rows: slice, columns: slice, geometry: Geometry) -> Tensor:
    """A tensor (..., H, W) at these rows and columns of padded images, and zeros elsewhere."""
    (H, W), (sh, sw), (h, w) = geometry.output, geometry.stride, geometry.padded
    before = [(0, 0)] * (t.shape.rank - 2)
    if (sh, sw) != (1, 1):
        t = tf.pad(t[..., None, :, None], (*before, (0, 0), (0, sh - 1), (0, 0), (0, sw - 1)))
        sizes = [-1, *t.shape[1:-4]]
        t = tf.reshape(t, (*sizes, H * sh, W * sw))[..., : H * sh - sh + 1, : W * sw - sw + 1]
    return tf.pad(t, (*before, (rows.start, h - rows.stop), (columns.start, w - columns.stop)))


def not_negative_zero(D: Tensor) -> Tensor:
    """What adding to zeros gives: compilers leave a sum with 0 out, and -0 + 0 is 0."""
    return tf.where(D == 0, tf.zeros_like(D), D)


def by_group(A: Tensor, geometry: Geometry) -> Tensor:
    """The channels (n, c, ...) by group: (n, g, c/g, ...)."""
    groups, channels = geometry.groups, A.shape[1] // geometry.groups
    return tf.reshape(A, (-1, groups, channels, *A.shape[2:]))


def kernel_by_group(geometry: Geometry) -> tuple[int, ...]:
    """The shape of the kernels by group: (g, o/g, c/g, kh, kw)."""
    return (geometry.groups, geometry.in_groups[1], *geometry.kernel[1:])


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n, h, w) along its last three axes, as a tree of additions."""
    *others, images, h, w = A.shape
    if images is None:
        return _tree_sum_of_unknown(tf.reshape(A, (*others, -1)), h * w)
    A, n = tf.reshape(A, (*others, images * h * w)), images * h * w
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else tf.concat([sums, A[..., n - p : p]], axis=-1)
        n = p
    return A[..., 0]


def _tree_sum_of_unknown(A: Tensor, h: int) -> Tensor:
    """The same where the number of terms is not known: what is to be folded away may be empty."""
    for power in reversed(range(31)):
        n, p = tf.shape(A)[-1], 2**power
        more = tf.maximum(n - p, 0)
        A = tf.concat([A[..., :more] + A[..., p:], A[..., more:p]], axis=-1)
    return A[..., 0]


def add_bias(Y: Tensor, b: Tensor, fixed: None) -> Tensor:
    """Y (n, o, H, W) + b (o,)."""
    return barrier(barrier(Y) + barrier(b)[:, None, None])


def bias_gradient(G: Tensor, fixed: None) -> Tensor:
    """The sums of G (n, o, H, W) over images, rows and columns."""
    return barrier(tree_sum(tf.transpose(barrier(G), (1, 0, 2, 3))))


def spread(b: Tensor, Y: Tensor) -> Tensor:
    """A tensor of the shape of Y (n, o, H, W) with the values of b (o,)."""
    return tf.broadcast_to(b[:, None, None], tf.shape(Y))


def max_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The maxima of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    return barrier(max_over(padded(barrier(X), geometry, -float("inf")), geometry, tf.where)[0])


def pick(X: Tensor, V: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The elements of V where X has the maxima of its windows."""
    geometry, _ = fixed
    X, V = padded(barrier(X), geometry, -float("inf")), padded(barrier(V), geometry)
    others: list[Callable[..., Tensor]] = [lambda _, rows, columns: V[:, :, rows, columns]]
    return barrier(max_over(X, geometry, tf.where, *others)[1])


def put_back(X: Tensor, G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """G (n, c, H, W), each element at the place of its window's maximum, added up there."""
    geometry, _ = fixed
    X, G, dX = padded(barrier(X), geometry, -float("inf")), barrier(G), None
    zeros = tf.zeros_like(G)
    others: list[Callable[..., Tensor]] = [lambda number, *_: tf.cast(zeros, tf.int32) + number]
    taken = max_over(X, geometry, tf.where, *others)[1]
    for number, (_, _, rows, columns) in enumerate(geometry.taps()):
        term = placed(tf.where(taken == number, G, zeros), rows, columns, geometry)
        dX = term if dX is None else plus(dX, term)
    return barrier(cropped(not_negative_zero(dX), geometry))


def avg_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The means of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    total = sum_over(padded(barrier(X), geometry), geometry, plus)
    return barrier(total / counts(total, fixed))


def avg_pool_gradient(G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """Each element of G (n, c, H, W) shared out evenly among its window."""
    geometry, _ = fixed
    G, dX = barrier(G), None
    D = G / counts(G, fixed)
    for _, _, rows, columns in geometry.taps():
        term = placed(D, rows, columns, geometry)
        dX = term if dX is None else plus(dX, term)
    return barrier(cropped(not_negative_zero(dX), geometry))


def counts(like: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """How many elements each window has, (H, W), in the type of another tensor.

    XLA divides by a number that it knows by a product with its rounded reciprocal, so in a graph
    the numbers are hidden in what depends on the tensor: NaN where that is NaN.
    """
    found = tf.constant(contract.counts(*fixed), like.dtype)
    if tf.executing_eagerly():
        return found
    return tf.maximum(found, tf.minimum(like, float("-inf")))
