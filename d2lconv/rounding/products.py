"""Cross-correlations in float64, piece by piece: sums of exact products, in some order.

A piece of the result, and what it is computed from, are so small that they stay in the processor's
caches, and so large that Python's part of the time is small. The test that decides them is done
there too, which is why each piece is a function that somebody else calls. Their memory is used
again, piece after piece and call after call: to get as much anew from the system takes longer than
to compute what comes into it.

The products are matrix products, as :class:`Arithmetic` computes them, with the threads of its
library; those would get in each other's way if several pieces were computed at the same time. A sum
of many products is added in parts of DEPTH, and then the parts: so a product passes fewer
additions, and the error bound, which grows with these (:func:`additions`), is smaller.

Images are (g, c/g, n, h, w) here and outputs (g, o/g, n, H, W): by group, and the images inside, so
that one matrix product serves all images of a piece.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from d2lconv.core.contract import FloatArray
from d2lconv.core.geometry import Geometry
from d2lconv.rounding.round import exactly

Array = NDArray[np.float64]

PIECE = 2**20  # elements of float64: 8 MiB
DEPTH = 384  # products that are added before their sum is added to the others
KEPT = 2**25  # bytes of memory that are kept for the next call

_kept: list["Space"] = []


class Arithmetic(NamedTuple):
    """What a framework may do in NumPy's place, with its threads: those of two get in their way.

    Attributes:
        matmul: Puts the product of matrices (g, m, k) and (g, k, n) into the third argument (g, m,
            n), which is contiguous. It adds the products in any order, fused or not, in float64; it
            is no Strassen product.
        copy: Puts into an array of float64 what is in the second one, of another floating type.
    """

    matmul: Callable[[Array, Array, Array], object]
    copy: Callable[[Array, NDArray[Any]], object]


class Piece(NamedTuple):
    """Where a piece lies: slices of groups, of channels or outputs in them, of images and rows."""

    groups: slice
    channels: slice
    images: slice
    rows: slice


class Space:
    """Memory that is used again: at most one array at a time for each use."""

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def __call__(self, use: str, shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
        """An array with anything in it, where the last one for this use was."""
        size = prod(shape) * np.dtype(dtype).itemsize
        memory = self._memory.get(use)
        if memory is None or memory.size < size:
            memory = self._memory[use] = np.empty(size, np.uint8)
        found: NDArray[Any] = memory[:size].view(dtype).reshape(shape)
        return found

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(memory.size for memory in self._memory.values())


@contextmanager
def memory() -> Iterator[Space]:
    """Memory for pieces, which no other thread has meanwhile: a list's pop is one step.

    It is the last call's, unless another call has it. With new memory, gradients with respect to
    images often take longer, by up to a quarter; other results hardly change.
    """
    try:
        space = _kept.pop()
    except IndexError:
        space = Space()
    yield space
    if space.size <= KEPT and not _kept:
        _kept.append(space)


def additions(n: int) -> int:
    """How many additions a product passes at most, in a sum of n.

    Example:
        >>> [additions(n) for n in (1, 384, 576)]
        [1, 384, 289]
    """
    parts = max(1, -(-n // DEPTH))
    return -(-n // parts) + parts - 1


def by_group(A: FloatArray, groups: int) -> NDArray[Any]:
    """Images or outputs (n, c, h, w) as (g, c/g, n, h, w)."""
    n, _, h, w = A.shape
    return exactly(A).reshape(n, groups, -1, h, w).transpose(1, 2, 0, 3, 4)


def matmul(A: Array, B: Array, out: Array) -> None:
    """The matrix product, by SciPy's BLAS where it is installed, else by NumPy's.

    Both are OpenBLAS. NumPy 1.26 brings an older one, which does not know newer processors: there
    it reaches a fifth of the speed. For a single row it makes no difference. SciPy copies parts of
    larger matrices, and is still the quicker one: two libraries' threads get in their way.

    A BLAS wants matrices stored by columns. One stored by rows is, read by columns, its transpose:
    so it is asked for out.T = B.T A.T, and writes that where ``out`` is.
    """
    dgemm = _dgemm()
    if dgemm is None or A.shape[1] == 1:
        np.matmul(A, B, out=out)
        return
    for a, b, c in zip(A, B, out, strict=True):
        (p, p_turned), (q, q_turned) = _by_columns(b), _by_columns(a)
        dgemm(1.0, p, q, trans_a=p_turned, trans_b=q_turned, c=c.T, overwrite_c=True)


@cache
def _dgemm() -> Any:
    """SciPy's product of matrices stored by columns; None where SciPy is not installed."""
    try:
        from scipy.linalg.blas import dgemm
    except ImportError:
        return None
    return dgemm


def _by_columns(A: Array) -> tuple[Array, bool]:
    """What the product takes for A.T: one stored by columns, and whether to transpose it first."""
    return (A, True) if A.flags.f_contiguous else (A.T, False)


NUMPY = Arithmetic(matmul, np.copyto)


def corr2d(
    X: NDArray[Any], K: Array, geometry: Geometry, by: Arithmetic
) -> tuple[list[Piece], Callable[[Piece, Space], Array]]:
    """The cross-correlation: its pieces, and what computes one.

    Args:
        X: The images (g, c/g, n, h, w), padding included.
        K: The kernels (g, o/g, products).
        geometry: The shapes.
        by: Multiplies matrices.
    """

    def compute(piece: Piece, space: Space) -> Array:
        columns = _columns(X, piece, geometry, by, space)
        Y = space("sums", (len(columns), K.shape[1], columns.shape[2]))
        _multiply(K[piece.groups], columns, Y, by, space)
        images, rows = (s.stop - s.start for s in (piece.images, piece.rows))
        return Y.reshape(*Y.shape[:2], images, rows, -1)

    return _pieces(X, K.shape[1], geometry), compute


def image_gradient(
    K: Array, G: NDArray[Any], geometry: Geometry, by: Arithmetic
) -> tuple[list[Piece], Callable[[Piece, Space], Array]]:
    """The gradient with respect to the images: products, added up where windows overlap.

    Args:
        K: The kernels (g, o/g, products).
        G: The gradient at the output (g, o/g, n, H, W).
        geometry: The shapes.
        by: Multiplies matrices.
    """
    (groups, _, n, H, W), channels = G.shape, geometry.in_groups[0]
    h, w = geometry.image[2:]
    taps = [(_met(a, 0, geometry), _met(b, 1, geometry)) for a, b, _, _ in geometry.taps()]
    last = np.ascontiguousarray(np.moveaxis(G, 2, -1))  # images: what is added lies in long rows

    def compute(piece: Piece, space: Space) -> Array:
        g, c, i, _ = piece
        outputs = _floats(last[g, ..., i], by, space).reshape(g.stop - g.start, G.shape[1], -1)
        kernels = K[g, :, c.start * len(taps) : c.stop * len(taps)].swapaxes(1, 2)
        parts = space("windows", (len(outputs), kernels.shape[1], outputs.shape[2]))
        _multiply(kernels, outputs, parts, by, space)
        parts = parts.reshape(len(outputs), -1, len(taps), H, W, i.stop - i.start)
        D = space("sums", (len(outputs), c.stop - c.start, h, w, i.stop - i.start))
        D[...] = 0
        for number, ((rows, top), (columns, left)) in enumerate(taps):
            D[:, :, rows, columns] += parts[:, :, number, top, left]
        return np.moveaxis(D, -1, 2)

    some = _slices((groups, channels, n), len(taps) * H * W + h * w)
    return [Piece(g, c, i, slice(0, h)) for g, c, i in some], compute


def kernel_gradient(
    X: NDArray[Any], G: NDArray[Any], geometry: Geometry, by: Arithmetic
) -> tuple[Array, int]:
    """The gradient with respect to the kernels (g, o/g, products), added up in pieces.

    Args:
        X: The images (g, c/g, n, h, w), padding included.
        G: The gradient at the output (g, o/g, n, H, W).
        geometry: The shapes.
        by: Multiplies matrices.

    Returns:
        The sums, and through how many additions a product passes at most.
    """
    total = np.zeros((*G.shape[:2], geometry.products))
    pieces, longest = _pieces(X, 1, geometry), 0
    with memory() as space:
        for piece in pieces:
            columns = _columns(X, piece, geometry, by, space)
            outputs = _floats(G[piece.groups, :, piece.images, piece.rows], by, space)
            outputs = outputs.reshape(len(columns), G.shape[1], -1)
            part = space("sums", (*outputs.shape[:2], geometry.products))
            _multiply(outputs, columns.swapaxes(1, 2), part, by, space)
            total[piece.groups] += part
            longest = max(longest, additions(outputs.shape[2]))
    return total, longest + len(pieces)


def _multiply(A: Array, B: Array, out: Array, by: Arithmetic, space: Space) -> None:
    """A matrix product, its sums in parts: of all groups at once, or a group's parts at once."""
    n = A.shape[2]
    parts = max(1, -(-n // DEPTH))
    step = -(-n // parts)
    if len(A) < parts - 1:
        whole = n // step
        for a, b, c in zip(A, B, out, strict=True):
            sums = space("part", (whole, *c.shape))
            left = a[:, : whole * step].reshape(len(a), whole, step).swapaxes(0, 1)
            by.matmul(left, b[: whole * step].reshape(whole, step, -1), sums)
            np.sum(sums, axis=0, out=c)
            if n > whole * step:
                by.matmul(a[None, :, whole * step :], b[None, whole * step :], sums[:1])
                np.add(c, sums[0], out=c)
        return
    by.matmul(A[..., :step], B[:, :step], out)
    for start in range(step, n, step):
        part = space("part", out.shape)
        by.matmul(A[..., start : start + step], B[:, start : start + step], part)
        np.add(out, part, out=out)


def _pieces(X: NDArray[Any], outputs: int, geometry: Geometry) -> list[Piece]:
    """The pieces of an output, so large that their windows, and what these give, are of a size."""
    sizes = len(X), X.shape[2], geometry.output[0]
    some = _slices(sizes, (geometry.products + outputs) * geometry.output[1])
    return [Piece(g, slice(0, outputs), images, rows) for g, images, rows in some]


def _columns(
    X: NDArray[Any], piece: Piece, geometry: Geometry, by: Arithmetic, space: Space
) -> Array:
    """The windows of a piece's images as columns (g, products, positions)."""
    view = windows(X, geometry)[piece.groups, :, :, :, piece.images, piece.rows]
    columns = space("windows", view.shape)
    by.copy(columns, view)
    return columns.reshape(len(columns), geometry.products, -1)


def windows(X: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """The windows of images (g, c, n, h, w), in their memory: (g, c, kh, kw, n, H, W)."""
    g, c, n, down, right = X.strides
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    shape = *X.shape[:2], *geometry.kernel[2:], X.shape[2], *geometry.output
    strides = g, c, down * dh, right * dw, n, down * sh, right * sw
    return as_strided(X, shape, strides)


def _floats(A: NDArray[Any], by: Arithmetic, space: Space) -> Array:
    """The numbers in float64."""
    found = space("outputs", A.shape)
    by.copy(found, A)
    return found


def _slices(sizes: tuple[int, ...], element: int) -> Iterator[tuple[slice, ...]]:
    """Slices of some axes, together of PIECE elements or so: first as much as can be of the last.

    Args:
        sizes: The axes' lengths.
        element: How many elements belong to one place of all axes.
    """
    steps: list[int] = []
    for size in reversed(sizes):
        count = -(-size // max(1, PIECE // element))
        steps.insert(0, -(-size // count))
        element *= steps[0]
    for starts in np.ndindex(*(-(-size // step) for size, step in zip(sizes, steps, strict=True))):
        yield tuple(
            slice(start * step, min((start + 1) * step, size))
            for start, step, size in zip(starts, steps, sizes, strict=True)
        )


def _met(tap: int, axis: int, geometry: Geometry) -> tuple[slice, slice]:
    """The elements of an image in one axis that a kernel's element meets, and at which outputs."""
    step, first = geometry.stride[axis], tap * geometry.dilation[axis] - geometry.padding[axis][0]
    size, outputs = geometry.image[2 + axis], geometry.output[axis]
    start = max(0, -(first // step))
    stop = max(start, min(outputs, (size - 1 - first) // step + 1))
    begin = start * step + first
    return slice(begin, begin + (stop - start) * step, step), slice(start, stop)
