"""How far Winograd's fast algorithm can carry a cross-correlation from the true value.

It computes m neighbouring outputs of an r-tap kernel at once, from t = m + r - 1 inputs d, as

    y_p = sum over u of A[u,p] * (sum_a G[u,a] g_a) * (sum_s B[u,s] d_s),    p = 0 ... m-1,

which is the product of two polynomials by their values at t - 1 points and at infinity, turned
around (Toom and Cook; Winograd, *Arithmetic Complexity of Computations*, 1980; Lavin and Gray,
*Fast Algorithms for Convolutional Neural Networks*, 2015). With points x_u and N_u the product of
x_u - x_w over the other points, A[u,p] = x_u**p, G[u,a] = x_u**a / N_u, and B[u] the coefficients
of the product of (x - x_w) over the other points; at infinity A and G have a 1 in the last place,
and B the coefficients of the product over all points. In two dimensions each axis goes through it.

**The bound.** Multiplied out, an output is a sum of terms A*G*g*B*d, of which those outside of its
window cancel, and those inside sum up to g*d. They cancel in exact arithmetic only: in floating
point each carries its own rounding factors. A transform of length L gives a term one factor from
rounding the constant, one from the product, and L from the additions at most (one to spare for
shared subexpressions). So a term carries at most

    k = 1 + sum over the axes of (r + 2) + 2 * (t + 2)

of them, the 1 for the product of the transforms, and one more for each further channel whose
products are added up, before or after they are transformed back. So

    |computed - true| <= gamma(k) * E,    E the same sum with absolute values everywhere.

It is the elementwise form of the bound in Barabasz, Anderson, Soodhalter and Gregg, *Error analysis
and improving the accuracy of Winograd convolution for deep neural networks* (2020). Multiplying the
rows of A, G and B by factors whose product is 1, as libraries do, leaves E as it is.

Which of the m**2 places in its tile an output has depends on where a library starts; the bound
takes the largest E of all. It also takes the largest over the tiles and points that libraries are
known to use (:data:`POINTS`); other points are not covered.
"""

import math
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from d2lconv.core.geometry import Geometry
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.parity import bounds
from d2lconv.parity.bounds import Parts
from d2lconv.parity.bounds.operands import result_type
from d2lconv.parity.problem import problem
from d2lconv.parity.terms import Array, Terms, correlate, plain

HALF, FIVE, THREE = Fraction(1, 2), Fraction(5, 8), Fraction(3, 2)
POINTS: tuple[tuple[Fraction | int, ...], ...] = (
    (0, 1, -1),  # tiles of 4: F(2, 3), F(3, 2)
    (0, 1, -1, 2, -2),  # tiles of 6: F(4, 3), F(2, 5), as Lavin and Gray have them
    (0, FIVE, -FIVE, THREE, -THREE),  # the same with points of smaller constants, as in oneDNN
    (0, 1, -1, 2, -2, HALF, -HALF),  # tiles of 8: F(6, 3), F(4, 5), F(2, 7), as in NNPACK
)
LARGEST = 7  # the side of the largest kernel that these tiles have room for
ROOM = 1024.0  # for rows of A, G and B that a library multiplied by factors, where they matter


@cache
def transforms(points: tuple[Fraction | int, ...], r: int) -> tuple[Any, Any, Any]:
    """The matrices A (t, m), G (t, r) and B (t, t) for kernels of r taps, as fractions.

    Example:
        >>> A, G, B = transforms((0, 1, -1), 3)
        >>> [[int(b) for b in row] for row in B]
        [[-1, 0, 1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]]
    """
    t = len(points) + 1
    m = t - r + 1
    A = [[Fraction(x) ** p for p in range(m)] for x in points]
    G, B = [], []
    for x in points:
        others = [w for w in points if w != x]
        N = math.prod((Fraction(x) - w for w in others), start=Fraction(1))
        G.append([Fraction(x) ** a / N for a in range(r)])
        B.append([*_product(others), Fraction(0)])
    A.append([Fraction(int(p == m - 1)) for p in range(m)])
    G.append([Fraction(int(a == r - 1)) for a in range(r)])
    B.append(_product(points))
    return np.array(A), np.array(G), np.array(B)


def _product(points: Any) -> list[Fraction]:
    """The coefficients of the product of (x - w), the lowest first."""
    found = [Fraction(1)]
    for w in points:
        found = [low - w * high for low, high in zip([0, *found], [*found, 0], strict=True)]
    return found


def bound(X: Any, K: Any, dtype: Any = None, *, bias: Any = None, **options: Any) -> Array:
    """How far a cross-correlation by Winograd's algorithm can be from the true one.

    Args:
        X: The images.
        K: The kernels, their sides at most 7.
        dtype: The floating type of the result; None is the wider one of X and K.
        bias: One number, or one for each output, that is added.
        options: padding, groups, layout and kernel_layout, as in
            :func:`d2lconv.parity.bounds.corr2d`.

    Returns:
        The bound for each output element, float64, of the result's shape.
    """
    return parts(X, K, dtype, bias=bias, **options).any_result()


def parts(X: Any, K: Any, dtype: Any = None, *, bias: Any = None, **options: Any) -> Parts:
    """The bound of :func:`bound` in parts, for who knows the result.

    Raises:
        ShapeError: A side of K is larger than 7, or X or K is not what ``d2lconv.corr2d`` takes.
        ArgumentError: stride or dilation is not 1.

    Example:
        >>> X, K = np.ones((6, 6), "f4"), np.ones((3, 3), "f4")
        >>> bool((parts(X, K).finite > 10 * bounds.corr2d(X, K)).all())
        True
    """
    found = problem(X, K, bias=bias, **options)
    call = found.call
    of = of_terms(call.terms(), result_type(dtype, call.X, call.K, call.bias))
    finite, overflow, infinite = (
        np.asarray(found.shown(t)) for t in (of.finite, of.overflow, of.infinite)
    )
    return Parts(finite, overflow, infinite)


def serves(geometry: Geometry) -> bool:
    """Whether Winograd's algorithm is known for these sums: no stride, no dilation, small sides."""
    plain = geometry.stride == geometry.dilation == (1, 1)
    return plain and max(geometry.kernel[2:]) <= LARGEST


def check(geometry: Geometry) -> None:
    """Check that Winograd's algorithm is known for these sums."""
    sides = geometry.kernel[2:]
    if max(sides) > LARGEST:
        raise ShapeError(
            f"K has the sides {sides}; Winograd's algorithm is known for sides up to {LARGEST}."
        )
    if not serves(geometry):
        raise ArgumentError(
            f"stride is {geometry.stride} and dilation {geometry.dilation}; Winograd's algorithm "
            "is known for 1 alone."
        )


def of_terms(terms: Terms, dtype: str) -> Parts:
    """The bound for each of the sums of these terms."""
    geometry = terms.geometry
    check(geometry)
    found = bounds.of_terms(terms, dtype)
    for points in POINTS:
        if len(points) + 1 > max(geometry.kernel[2:]) > 1:
            one = _of_points(points, terms, dtype)
            found = Parts(
                np.maximum(found.finite, one.finite),
                found.overflow | one.overflow,
                found.infinite,
            )
    return found


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def _of_points(points: tuple[Fraction | int, ...], terms: Terms, dtype: str) -> Parts:
    A, K, offset = terms.A.wide(), terms.B.wide(), np.abs(terms.offset)
    geometry = terms.geometry
    channels, sides = geometry.kernel[1], geometry.kernel[2:]
    axes = [_axis(points, r) for r in sides]
    (a0, G0, B0, m0), (a1, G1, B1, m1) = axes
    sizes = [np.where(np.isfinite(t), np.abs(t), 0.0) for t in (A, K)]
    frame = [(0, 0), (0, 0), (m0 - 1, m0 - 1), (m1 - 1, m1 - 1)]
    tiles = np.pad(sizes[0], frame)
    H, W = (n - len(a) + 1 for n, a in zip(tiles.shape[2:], (a0, a1), strict=True))
    whole = (*geometry.kernel[:2], len(a0), len(a1))
    tiled = plain(tiles.shape, whole, geometry.groups, (H, W))
    U = G0 @ sizes[1] @ G1.T
    # For each place that a tile may start at, its largest E; then the largest for each output.
    E = _largest(correlate(tiles, B0.T @ (np.outer(a0, a1) * U) @ B1, tiled), m0, m1)
    rounded = sum(not t.held_by(dtype).all() for t in terms.operands)
    roundings = rounded + channels + (terms.bias is not None)
    roundings += sum(r + 2 + 2 * (len(a) + 2) for r, (a, *_) in zip(sides, axes, strict=True))
    g = bounds.gamma(roundings, dtype)
    # What underflows is magnified by the transforms behind it: crude, but tiny.
    once = bounds.underflow(dtype)
    up_x, up_k, up_y = (
        math.prod(float(t.sum(axis).max()) for t in pair)
        for pair, axis in (((B0, B1), 1), ((G0, G1), 1), ((a0[None], a1[None]), 1))
    )
    largest_x, largest_k = float(sizes[0].max()) * up_x, float(sizes[1].max()) * up_k
    lost_x, lost_k = (ROOM * once * (up + 1) for up in (up_x, up_k))
    lost = up_y * (lost_x * largest_k + lost_k * largest_x + ROOM * once) * (1 + g) * channels
    finite = g * (E + offset) * (1 + 1e-9) + lost
    most = ROOM * max(largest_x, largest_k, up_y * channels * largest_x * largest_k) * (1 + g)
    most = most + float(offset.max())
    overflow = np.full(E.shape, not most < float(np.finfo(dtype).max))
    special = np.pad(np.where(np.isfinite(A), 0.0, 1.0), frame)
    if special.any() or not np.isfinite(K).all():  # it spreads through its tile
        sees = correlate(special, np.ones(whole), tiled) > 0
        overflow |= _largest(sees, m0, m1) | (not np.isfinite(K).all())
    return Parts(finite, overflow, np.zeros(E.shape, bool))


def _axis(points: tuple[Fraction | int, ...], r: int) -> tuple[Array, Array, Array, int]:
    """For one axis the largest of |A| over the outputs, |G|, |B| and m; an axis of 1 stays."""
    if r == 1:
        one = np.ones((1, 1))
        return one[0], one, one, 1
    A, G, B = (np.abs(t).astype(np.float64) for t in transforms(points, r))
    return A.max(1), G, B, A.shape[1]


def _largest(tiles: Any, m0: int, m1: int) -> Any:
    slide: Any = np.lib.stride_tricks.sliding_window_view
    return slide(tiles, (m0, m1), axis=(-2, -1)).max((-2, -1))
