"""The contract in JAX: shift and add as one loop over the channels, for XLA to make one pass of.

Inside, the channels come last, (n, h, w, g, c): so what is next to each other in memory is computed
at once. Each product is rounded by itself: see :mod:`d2lconv_jax.runtime`.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array as Tensor
from jax import lax

from d2lconv.core import contract
from d2lconv.core.geometry import Geometry
from d2lconv.core.shift import max_over, sum_over
from d2lconv_jax.runtime import product, quotient
from d2lconv_jax.tensors import check_known

AT_ONCE = 32  # products in one step of a loop; a program of many more compiles slowly
STEP = 8  # and so many where there are more


def corr2d(X: Tensor, K: Tensor, geometry: Geometry) -> Tensor:
    """The cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw)."""
    kh, kw = geometry.kernel[2:]
    X = by_group(padded(X, geometry), geometry).transpose(2, 0, 3, 4, 1)[..., None]
    K = K.reshape(kernel_by_group(geometry)).transpose(2, 3, 4, 0, 1)

    def channel(x: Tensor, k: Tensor) -> Tensor:
        k = k.reshape(kh * kw, *k.shape[2:])
        return in_order(kh * kw, lambda n: product(window(x, n, geometry), at(k, n)))

    Y = one_by_one(channel, kh * kw, X, K)
    return Y.transpose(0, 3, 4, 1, 2).reshape(Y.shape[0], *geometry.shape[1:])


def in_order(count: int, term: Callable[[Any], Tensor]) -> Tensor:
    """The sum of term(0) to term(count - 1) in this order."""
    if count <= AT_ONCE:
        total = term(0)
        for n in range(1, count):
            total = total + term(n)
        return total
    return lax.fori_loop(1, count, lambda n, total: total + term(n), term(0), unroll=STEP)


def one_by_one(function: Callable[..., Tensor], size: int, *parts: Tensor) -> Tensor:
    """The sum, in their order, of a function of what arrays have at each place of their first axis.

    Each step of the loop takes along what the next one needs. So XLA does not look it up anew for
    each element of the result, which takes up to 30 times as long.

    Args:
        function: Computes a term.
        size: How many products a term adds up.
        parts: The arrays.
    """
    count, step = len(parts[0]), max(1, AT_ONCE // size)
    first = (count - 1) % step + 1

    def take(i: Any) -> list[Tensor]:
        return [lax.dynamic_slice_in_dim(part, first + i * step, step) for part in parts]

    def add(total: Tensor | None, block: list[Tensor]) -> Tensor:
        for slices in zip(*block, strict=True):
            term = function(*slices)
            total = term if total is None else total + term
        assert total is not None
        return total

    def advance(i: Any, state: tuple[Tensor, list[Tensor]]) -> tuple[Tensor, list[Tensor]]:
        total, block = state
        return add(total, block), take(i + 1)  # after the last step that is the last block again

    total = add(None, [part[:first] for part in parts])
    if first == count:
        return total
    return lax.fori_loop(0, (count - first) // step, advance, (total, take(0)))[0]


def at(k: Tensor, n: Any) -> Tensor:
    """The n-th element along the first axis, where n is known to be none from the end."""
    return lax.dynamic_index_in_dim(k, n, keepdims=False)


def window(x: Tensor, n: Any, geometry: Geometry) -> Tensor:
    """What the n-th element of a kernel meets in images (n, h, w, ...), padding included."""
    (H, W), (sh, sw), (dh, dw) = geometry.output, geometry.stride, geometry.dilation
    kw = geometry.kernel[3]
    starts = (0, n // kw * dh, n % kw * dw) + (0,) * (x.ndim - 3)
    sizes = (x.shape[0], (H - 1) * sh + 1, (W - 1) * sw + 1, *x.shape[3:])
    return lax.dynamic_slice(x, starts, sizes)[:, ::sh, ::sw]


def image_gradient(K: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the images, for the gradient G (n, o, H, W) at the output."""
    kh, kw = geometry.kernel[2:]
    K = K.reshape(kernel_by_group(geometry)).transpose(1, 3, 4, 0, 2)
    G = by_group(G, geometry).transpose(2, 0, 3, 4, 1)[..., None]

    def output(g: Tensor, k: Tensor) -> Tensor:
        k = k.reshape(kh * kw, *k.shape[2:])
        return positive(in_order(kh * kw, lambda n: put_at(product(at(k, n), g), n, geometry)))

    dX = one_by_one(output, kh * kw, G, K).transpose(0, 3, 4, 1, 2)
    return cropped(dX.reshape(dX.shape[0], -1, *geometry.padded), geometry)


def put_at(A: Tensor, n: Any, geometry: Geometry) -> Tensor:
    """A (n, H, W, ...) where the n-th element of a kernel meets images, in zeros."""
    (h, w), (sh, sw), (dh, dw) = geometry.padded, geometry.stride, geometry.dilation
    kw, zero = geometry.kernel[3], jnp.zeros((), A.dtype)
    top, left = n // kw * dh, n % kw * dw
    rest = [(0, 0, 0)] * (A.ndim - 3)
    if isinstance(n, int):
        spread = [
            (d, size - d - (m - 1) * s - 1, s - 1)
            for d, size, m, s in ((top, h, A.shape[1], sh), (left, w, A.shape[2], sw))
        ]
        return lax.pad(A, zero, [(0, 0, 0), *spread, *rest])
    spread = [
        (0, size - (m - 1) * s - 1, s - 1)
        for size, m, s in ((h, A.shape[1], sh), (w, A.shape[2], sw))
    ]
    # Behind A there are at least as many zeros as it moves, so none of it comes in again in front.
    return jnp.roll(lax.pad(A, zero, [(0, 0, 0), *spread, *rest]), (top, left), (1, 2))


def positive(dX: Tensor) -> Tensor:
    """Sums that begin with 0: 0 + -0 is 0, but XLA drops additions to a 0 that it knows."""
    return jnp.where(dX == 0, 0, dX)


def kernel_gradient(X: Tensor, G: Tensor, geometry: Geometry) -> Tensor:
    """The gradient with respect to the kernels, for the gradient G (n, o, H, W) at the output."""
    channels, (kh, kw) = geometry.in_groups[0], geometry.kernel[2:]
    X = by_group(padded(X, geometry), geometry).transpose(2, 0, 3, 4, 1)[..., None]
    G = by_group(G, geometry).transpose(0, 3, 4, 1, 2)

    def element(n: Tensor) -> Tensor:
        x = window(X[n // (kh * kw)], n % (kh * kw), geometry)
        return tree_sum(product(x, G).reshape(-1, *G.shape[3:]))

    dK = lax.map(element, jnp.arange(channels * kh * kw))
    return dK.transpose(1, 2, 0).reshape(geometry.kernel)


def padded(X: Tensor, geometry: Geometry, value: float = 0) -> Tensor:
    """The images with their padding."""
    if geometry.padded == geometry.image[2:]:
        return X
    # Not jnp.pad: its program for a Python number under the switch for float64 is taken without it.
    sides = [(0, 0, 0), (0, 0, 0), *((before, after, 0) for before, after in geometry.padding)]
    return lax.pad(X, jnp.full((), value, X.dtype), sides)


def cropped(X: Tensor, geometry: Geometry) -> Tensor:
    """Images without their padding."""
    (top, _), (left, _) = geometry.padding
    h, w = geometry.image[2:]
    return X[:, :, top : top + h, left : left + w]


def by_group(A: Tensor, geometry: Geometry) -> Tensor:
    """The channels (n, c, ...) by group: (n, g, c/g, ...)."""
    return A.reshape(A.shape[0], geometry.groups, -1, *A.shape[2:])


def kernel_by_group(geometry: Geometry) -> tuple[int, ...]:
    """The shape of the kernels by group: (g, o/g, c/g, kh, kw)."""
    return (geometry.groups, -1, *geometry.kernel[1:])


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (n, ...) along its first axis, as a tree of additions."""
    n = A.shape[0]
    check_known((n,), "a gradient that is a sum over images")
    while n > 1:
        p = contract.fold(n)
        sums = A[: n - p] + A[p:]
        A = sums if n == 2 * p else jnp.concatenate([sums, A[n - p : p]])
        n = p
    return A[0]


def add_bias(Y: Tensor, b: Tensor, fixed: None) -> Tensor:
    """Y (n, o, H, W) + b (o,)."""
    return Y + b[None, :, None, None]


def bias_gradient(G: Tensor, fixed: None) -> Tensor:
    """The sums of G (n, o, H, W) over images, rows and columns."""
    return tree_sum(G.transpose(0, 2, 3, 1).reshape(-1, G.shape[1]))


def spread(b: Tensor, Y: Tensor) -> Tensor:
    """An array of the shape of Y (n, o, H, W) with the values of b (o,)."""
    return jnp.broadcast_to(b[:, None, None], Y.shape)


def max_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The maxima of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    Y: Tensor = max_over(padded(X, geometry, -jnp.inf), geometry, jnp.where)[0]
    return Y


def pick(X: Tensor, V: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The elements of V where X has the maxima of its windows."""
    geometry, _ = fixed
    X, V = padded(X, geometry, -jnp.inf), padded(V, geometry)
    others: list[Callable[..., Tensor]] = [lambda _, rows, columns: V[:, :, rows, columns]]
    Y: Tensor = max_over(X, geometry, jnp.where, *others)[1]
    return Y


def put_back(X: Tensor, G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """G (n, c, H, W), each element at the place of its window's maximum, added up there."""
    geometry, _ = fixed
    X = padded(X, geometry, -jnp.inf)
    others: list[Callable[..., Tensor]] = [lambda number, *_: jnp.full(G.shape, number)]
    taken = max_over(X, geometry, jnp.where, *others)[1]
    return _added_up(lambda number: jnp.where(taken == number, G, 0), geometry)


def avg_pool(X: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """The means of windows of X (n, c, h, w)."""
    geometry, _ = fixed
    return quotient(sum_over(padded(X, geometry), geometry), counts(X, fixed))


def avg_pool_gradient(G: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """Each element of G (n, c, H, W) shared out evenly among its window."""
    geometry, _ = fixed
    D = quotient(G, counts(G, fixed))
    return _added_up(lambda number: D, geometry)


def _added_up(part: Callable[[Any], Tensor], geometry: Geometry) -> Tensor:
    """For each element of the window a part (n, c, H, W), added to zeros at what it met."""
    taps = geometry.kernel[2] * geometry.kernel[3]

    def term(number: Any) -> Tensor:
        return put_at(part(number).transpose(0, 2, 3, 1), number, geometry)

    return cropped(positive(in_order(taps, term)).transpose(0, 3, 1, 2), geometry)


def counts(like: Tensor, fixed: tuple[Geometry, bool]) -> Tensor:
    """How many elements each window has, (H, W), in the type of another array."""
    return jnp.asarray(contract.counts(*fixed), like.dtype)
