"""Honest algorithms: the same sum of products by other orders, fusions and types.

Each takes the factors as arrays (..., n) of one floating type, and gives sums (...) of it.
"""

from fractions import Fraction

import numpy as np

from d2lconv.parity.winograd import transforms

WIDER = {"float16": np.float32, "float32": np.float64, "float64": np.longdouble}


def sequential(x, k):
    total = x[..., 0] * k[..., 0]
    for i in range(1, x.shape[-1]):
        total = total + x[..., i] * k[..., i]
    return total


def backward(x, k):
    return sequential(x[..., ::-1], k[..., ::-1])


def smallest_first(x, k):
    order = np.argsort(np.abs(x * k), axis=-1)
    return sequential(*(np.take_along_axis(t, order, axis=-1) for t in (x, k)))


def pairwise(x, k):
    return _pairwise(x * k)


def _pairwise(terms):
    n = terms.shape[-1]
    if n == 1:
        return terms[..., 0]
    return _pairwise(terms[..., : n // 2]) + _pairwise(terms[..., n // 2 :])


def in_lanes(x, k):
    """Four sums side by side, as vector units have them."""
    lanes = [sequential(x[..., i::4], k[..., i::4]) for i in range(min(4, x.shape[-1]))]
    return _pairwise(np.stack(lanes, axis=-1))


def kahan(x, k):
    terms = x * k
    total = lost = np.zeros_like(terms[..., 0])
    for i in range(terms.shape[-1]):
        term = terms[..., i] - lost
        new = total + term
        total, lost = new, (new - total) - term
    return total


def fused(x, k):
    """One rounding for a product and an addition: the next float64 number, then the type's."""

    def add(total, x, k):
        return float(Fraction(float(x)) * Fraction(float(k)) + Fraction(float(total)))

    total = np.zeros(x.shape[:-1], x.dtype)
    for i in range(x.shape[-1]):
        total = np.vectorize(add, otypes=[float])(total, x[..., i], k[..., i]).astype(x.dtype)
    return total


def wide(x, k):
    """In the next wider type, rounded once at the end."""
    wider = WIDER[x.dtype.name]
    return sequential(x.astype(wider), k.astype(wider)).astype(x.dtype)


def widest(x, k):
    """In the widest type, rounded once at the end."""
    return sequential(x.astype(np.longdouble), k.astype(np.longdouble)).astype(x.dtype)


def twice_rounded(x, k):
    """Every operation in the wider type, and its result rounded again."""
    wider, own = WIDER[x.dtype.name], x.dtype
    x, k = x.astype(wider), k.astype(wider)
    total = (x[..., 0] * k[..., 0]).astype(own)
    for i in range(1, x.shape[-1]):
        total = (total.astype(wider) + (x[..., i] * k[..., i]).astype(own)).astype(own)
    return total


ALL = (
    sequential,
    backward,
    smallest_first,
    pairwise,
    in_lanes,
    kahan,
    fused,
    wide,
    widest,
    twice_rounded,
)


def flushing(x, k):
    """Sequential, with every subnormal operand, product and sum flushed to zero."""
    tiny = np.finfo(x.dtype).tiny

    def flush(a):
        return np.where(np.abs(a) < tiny, np.zeros_like(a), a)

    x, k = flush(x), flush(k)
    total = flush(x[..., 0] * k[..., 0])
    for i in range(1, x.shape[-1]):
        total = flush(total + flush(x[..., i] * k[..., i]))
    return total


def factors(X, K):
    """The factors of a cross-correlation's sums: the windows of X and as many copies of K."""
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape)
    x = windows.reshape(*windows.shape[:2], K.size)
    return x, np.broadcast_to(K.reshape(-1), x.shape)


def winograd(X, K, points, first=(0, 0)):
    """Winograd's algorithm in the type of X and K, tile by tile, from a first tile's place on.

    Args:
        X: The image (h, w).
        K: The kernel (r, r).
        points: The points that polynomials are evaluated at.
        first: How far above and left of the image the first tile starts.
    """
    A, G, B = (t.astype(np.float64).astype(X.dtype) for t in transforms(points, K.shape[0]))
    t, m = A.shape
    H, W = X.shape[0] - t + m, X.shape[1] - t + m
    top, left = first
    image = np.pad(X, [(top, t), (left, t)])
    Y = np.zeros((H + top + m, W + left + m), X.dtype)
    U = _matmul(_matmul(G, K), G.T)
    for i in range(0, H + top, m):
        for j in range(0, W + left, m):
            V = _matmul(_matmul(B, image[i : i + t, j : j + t]), B.T)
            Y[i : i + m, j : j + m] = _matmul(_matmul(A.T, U * V), A)
    return Y[top : top + H, left : left + W]


def _matmul(P, Q):
    """The product of two matrices, its sums in order."""
    total = P[:, :1] * Q[:1]
    for i in range(1, P.shape[1]):
        total = total + P[:, i : i + 1] * Q[i : i + 1]
    return total
