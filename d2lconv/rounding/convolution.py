"""The cross-correlation and its gradients, correctly rounded, on NumPy arrays.

Each element is a sum of products. All of them are computed in float64, in any order
(:mod:`d2lconv.rounding.products`), by matrix products that a backend may compute. What is near
enough to be rounded is decided in three steps (:mod:`d2lconv.rounding.certificate`):

1. Piece by piece, by one bound for all elements of a piece. It decides nearly all.
2. If that leaves many, by a bound for each, from the norm of its window: windows that are black, or
   much darker than others, need it. And sums that are exact in float64 are only rounded: ties, for
   the most part, of images that have few grey levels.
3. The rest is settled exactly (:mod:`d2lconv.rounding.settle`).

The gradient with respect to the images is a cross-correlation too, of G spread out by the stride
with the kernels turned around: so are its elements settled. What stands between the elements of G,
and around them, is no term of the sum, and is left out. The sums start from +0, as those of
:mod:`d2lconv.core.contract` do, so that none is -0 that is not negative.

The gradient with respect to the kernels has long sums. They are added in pieces, so that the bound
grows with the length of a piece and not with that of the sum.

float64 operands have no wider type to be computed in: all their sums are settled exactly, which is
slow.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.contract import FloatArray, padded
from d2lconv.core.geometry import Geometry
from d2lconv.rounding import norms, products
from d2lconv.rounding.certificate import bound, certify, surely, unit, zeros_are_positive
from d2lconv.rounding.counts import Counts, Settled
from d2lconv.rounding.products import NUMPY, Arithmetic, Piece, Space, additions, by_group, memory
from d2lconv.rounding.round import narrow, widen
from d2lconv.rounding.settle import settle

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
Images = NDArray[np.int64]
Sums = Callable[[Images], tuple[FloatArray, FloatArray, Geometry, Mask | None]]

GATHERED = 2**21  # products that are settled at once


def corr2d(
    X: FloatArray,
    K: FloatArray,
    geometry: Geometry,
    bias: FloatArray | None = None,
    *,
    by: Arithmetic = NUMPY,
) -> Settled:
    """The cross-correlation of images (n, c, h, w) with kernels (o, c/groups, kh, kw).

    Args:
        X: The images, without their padding.
        K: The kernels, of the images' type.
        geometry: The shapes.
        bias: One more term (o,) for each output, if given: it is rounded with the sum, once.
        by: Computes in float64, if not NumPy.

    Returns:
        The values (n, o, H, W), of the operands' type, and how many were found in which way.
    """
    values = np.empty((len(X), geometry.groups, geometry.in_groups[1], *geometry.output), X.dtype)
    X = padded(X, geometry)
    if X.dtype == np.float64:
        return _settled(values, _all(values), X, K, geometry, bias=bias)
    x, k = by_group(X, geometry.groups), _rows(widen(K), geometry)
    squares = norms.squares(_rows(K, geometry), "gop,gop->go", geometry.products)
    sizes = norms.enlarged(norms.brightest(x, geometry)), norms.enlarged(squares)
    terms = additions(geometry.products)
    pieces, compute = products.corr2d(x, k, geometry, by)
    return _decided(
        values, pieces, compute, sizes, terms, lambda some: (X[some], K, geometry, None), bias
    )


def image_gradient(
    K: FloatArray, G: FloatArray, geometry: Geometry, *, by: Arithmetic = NUMPY
) -> Settled:
    """The gradient with respect to the images, for the gradient G (n, o, H, W) at the output."""
    values = np.empty(
        (len(G), geometry.groups, geometry.in_groups[0], *geometry.image[2:]), G.dtype
    )
    start = np.zeros(geometry.image[1], G.dtype)
    if G.dtype == np.float64:
        return _settled(values, _all(values), *_spread(K, G, geometry), start)
    g, k = by_group(G, geometry.groups), _rows(widen(K), geometry)
    by_tap = _rows(K, geometry).reshape(*k.shape[:2], geometry.in_groups[0], -1)
    taps = by_tap.shape[3]
    squares = norms.squares(by_tap, "goct,goct->gc", taps * k.shape[1])
    sizes = norms.enlarged(norms.brightest(g, geometry)), norms.enlarged(squares)
    terms = additions(k.shape[1]) + taps
    pieces, compute = products.image_gradient(k, g, geometry, by)

    def sums(some: Images) -> tuple[FloatArray, FloatArray, Geometry, Mask | None]:
        return _spread(K, G[some], geometry)

    return _decided(values, pieces, compute, sizes, terms, sums, start)


def kernel_gradient(
    X: FloatArray, G: FloatArray, geometry: Geometry, *, by: Arithmetic = NUMPY
) -> Settled:
    """The gradient with respect to the kernels, for the gradient G (n, o, H, W) at the output.

    A window's norm is no greater than that of the channel that it lies in.
    """
    values = np.zeros((geometry.groups, geometry.in_groups[1], geometry.products), X.dtype)
    undecided: Mask = np.ones(values.shape, np.bool_)
    X = padded(X, geometry)
    if X.dtype != np.float64:
        x, g = by_group(X, geometry.groups), by_group(G, geometry.groups)
        total, terms = products.kernel_gradient(x, g, geometry, by)
        norms_x = np.repeat(
            norms.euclidean(x, "gcnhw,gcnhw->gc"), total.shape[2] // x.shape[1], axis=1
        )
        norms_g = norms.euclidean(g, "gonhw,gonhw->go")
        sizes = norms_g[..., None], norms_x[:, None]
        values, undecided = certify(total, *sizes, terms, X.dtype)
    found = Counts(certificate=int(undecided.size - undecided.sum()))
    X, G = _split(X, geometry), _split(G, geometry)
    where = np.argwhere(undecided)
    taps = [(rows, columns) for _, _, rows, columns in geometry.taps()]
    for some in _portions(where, len(G) * G[0, 0, 0].size):
        met = [
            X[(slice(None), g, t // len(taps), *taps[t % len(taps)])].ravel() for g, _, t in some
        ]
        gradients = [G[:, g, o].ravel() for g, o, _ in some]
        settled = settle(np.stack(met), np.stack(gradients), X.dtype)
        values[tuple(some.T)] = settled.values
        found += settled.counts
    return Settled(values.reshape(geometry.kernel), found)


def _decided(
    values: FloatArray,
    pieces: list[Piece],
    compute: Callable[[Piece, Space], Array],
    sizes: tuple[Array, Array],
    terms: int,
    sums: Sums,
    bias: FloatArray | None = None,
) -> Settled:
    """The values, rounded where a bound for many or their own one allows it, and else settled.

    Args:
        values: The result (n, g, o, H, W), to be filled in.
        pieces: Its pieces.
        compute: Gives the float64 sums of a piece, (g, o, n, H, W).
        sizes: No window has a greater norm, (g, 1), and no kernel, (g, o).
        terms: No product passes more additions.
        sums: What is added up for some images, where it has to be known.
        bias: One more term (o,) for each output, if given; it is not in the float64 sums.
    """
    offset = None if bias is None else widen(bias).reshape(values.shape[1:3])
    E = bound(*sizes, terms, bias=offset)

    places, totals = [], []
    with memory() as space, np.errstate(all="ignore"):
        for piece in pieces:
            g, o, n, rows = piece
            Y = compute(piece, space)
            if offset is not None:
                Y += offset[g, o, None, None, None]
            low, high = space("rounded", (2, *Y.shape), values.dtype)
            undecided = surely(Y, E[g, o].max(), low, high)
            values[n, g, o, rows] = high.transpose(2, 0, 1, 3, 4)
            if len(undecided):
                here = np.array(np.unravel_index(undecided, Y.shape)).T
                here[:, :4] += [s.start for s in piece]
                places.append(here[:, [2, 0, 1, 3, 4]])
                totals.append(Y.ravel()[undecided])
    if not places:
        return _counted(values, Counts(certificate=values.size))
    where, total = np.concatenate(places), np.concatenate(totals)
    images, numbers = np.unique(where[:, 0], return_inverse=True)
    where = np.column_stack([where, numbers])
    X, K, geometry, term = sums(images)
    if len(where) * geometry.products > X.size + K.size:
        where = where[_left(values, where, total, terms, X, K, geometry, offset)]
    return _settled(values, where, X, K, geometry, term, bias)


def _left(
    values: FloatArray,
    where: Places,
    total: Array,
    terms: int,
    X: FloatArray,
    K: FloatArray,
    geometry: Geometry,
    offset: Array | None,
) -> Mask:
    """Which elements their own bounds leave undecided; the others are put into the values."""
    *_, g, o, i, j, n = where.T
    with np.errstate(all="ignore"):
        squares = np.square(by_group(X, geometry.groups), dtype=np.float64).sum(axis=1)
        taps = geometry.taps()
        norms_x = norms.enlarged(sum(squares[..., rows, columns] for *_, rows, columns in taps))
    norms_k = norms.euclidean(_rows(widen(K), geometry), "gop,gop->go")
    sizes, bias = (norms_x[g, n, i, j], norms_k[g, o]), None if offset is None else offset[g, o]
    # A bias of +0 is no -0, nor is the product of numbers that both are +0 or positive.
    plus = offset is not None and not np.signbit(offset).any()
    rows = K.reshape(len(K), -1)
    plus = plus or not (np.signbit(X).any() or np.signbit(rows).all(axis=1).any())
    positive = plus or zeros_are_positive(X, rows)
    rounded, undecided = certify(
        total, *sizes, terms, values.dtype, bias=bias, positive_zeros=positive
    )
    with np.errstate(all="ignore"):
        least, most = unit(X) * unit(K), sizes[0] * sizes[1]
    if offset is not None:
        least, most = min(least, unit(offset)), most + np.abs(offset[g, o])
    exact = (most <= 2.0**52 * least) & ((total != 0) | plus)
    rounded[exact] = narrow(total[exact] + 0.0, values.dtype)
    undecided &= ~exact
    values[tuple(where[:, :5].T)] = rounded
    return undecided


def _settled(
    values: FloatArray,
    where: Places,
    X: FloatArray,
    K: FloatArray,
    geometry: Geometry,
    term: Mask | None = None,
    bias: FloatArray | None = None,
) -> Settled:
    """The values, with some elements settled exactly.

    Args:
        values: The result (n, g, o, H, W).
        where: A row for each element: its place in the result, and the number of its image in X.
        X: Images.
        K: The kernels.
        geometry: The shapes.
        term: What in the images is a term of the sum, (h, w); None if all is.
        bias: One more term (o,) for each output, if given.
    """
    found = Counts(certificate=values.size - len(where))
    for some in _portions(where, geometry.products):
        offset = None if bias is None else bias[some[:, 1] * geometry.in_groups[1] + some[:, 2]]
        settled = settle(*_gathered(X, K, geometry, some, term), X.dtype, bias=offset)
        values[tuple(some[:, :5].T)] = settled.values
        found += settled.counts
    return _counted(values, found)


def _counted(values: FloatArray, found: Counts) -> Settled:
    """The values (n, g, o, H, W) as (n, g * o, H, W)."""
    return Settled(values.reshape(len(values), -1, *values.shape[3:]), found)


def _spread(
    K: FloatArray, G: FloatArray, geometry: Geometry
) -> tuple[FloatArray, FloatArray, Geometry, Mask | None]:
    """The gradient of the images as a cross-correlation, and which elements are terms of it."""
    groups, (channels, outputs) = geometry.groups, geometry.in_groups
    kernel, dilation, image = geometry.kernel[2:], geometry.dilation, geometry.image[2:]
    places = [_places(axis, geometry) for axis in (0, 1)]
    sizes = [n + (k - 1) * d for n, k, d in zip(image, kernel, dilation, strict=True)]
    spread, term = np.zeros((*G.shape[:2], *sizes), G.dtype), np.zeros(sizes, np.bool_)
    inside = [(where >= 0) & (where < size) for where, size in zip(places, sizes, strict=True)]
    rows, columns = (where[kept] for where, kept in zip(places, inside, strict=True))
    spread[:, :, rows[:, None], columns] = G[:, :, inside[0]][..., inside[1]]
    term[rows[:, None], columns] = True
    turned = K.reshape(groups, outputs, channels, *kernel)[..., ::-1, ::-1].swapaxes(1, 2)
    turned = turned.reshape(groups * channels, outputs, *kernel)
    kernels = groups * channels, outputs, kernel[0], kernel[1]
    as_forward = Geometry(spread.shape, kernels, (1, 1), ((0, 0), (0, 0)), dilation, groups, image)
    return spread, turned, as_forward, None if term.all() else term


def _gathered(
    X: FloatArray, K: FloatArray, geometry: Geometry, where: Any, term: Mask | None
) -> tuple[FloatArray, FloatArray]:
    """The factors of the products of some elements of the output, a row for each."""
    *_, g, o, i, j, n = where.T
    x = products.windows(by_group(X, geometry.groups), geometry)[g, :, :, :, n, i, j]
    k = K[g * geometry.in_groups[1] + o]
    if term is not None:
        met = products.windows(term[None, None, None], geometry)[0, :, :, :, 0, i, j]
        x, k = (np.where(met, t, 0) for t in (x, k))
    return x.reshape(len(where), -1), k.reshape(len(where), -1)


def _rows(K: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """The kernels as rows (g, o/g, products)."""
    return K.reshape(geometry.groups, -1, geometry.products)


def _split(A: FloatArray, geometry: Geometry) -> FloatArray:
    """Images or outputs (n, c, h, w) as (n, g, c/g, h, w)."""
    return A.reshape(len(A), geometry.groups, -1, *A.shape[2:])


def _all(values: FloatArray) -> Places:
    """The places of all elements, and the numbers of their images."""
    where = np.argwhere(np.ones(values.shape, np.bool_))
    return np.column_stack([where, where[:, 0]])


def _places(axis: int, geometry: Geometry) -> NDArray[np.int64]:
    """Where the elements of G stand in one axis, spread out for the gradient of the images."""
    span = (geometry.kernel[2 + axis] - 1) * geometry.dilation[axis]
    first = span - geometry.padding[axis][0]
    places: NDArray[np.int64] = np.arange(geometry.output[axis]) * geometry.stride[axis] + first
    return places


def _portions(where: Any, length: int) -> list[Any]:
    """Rows of indices in portions, so that not too many products are gathered at once."""
    step = max(1, GATHERED // max(1, length))
    return [where[start : start + step] for start in range(0, len(where), step)]
