"""Norms for the certificate: it asks only that none is less than the true one.

``axes`` says, as einsum does, which axes of an array are squared and added up.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.geometry import Geometry
from d2lconv.rounding.certificate import ENLARGED

Array = NDArray[np.float64]
MOST = 2**22  # squares whose sum in float32 is off by no more than half of itself


def squares(A: NDArray[Any], axes: str, count: int) -> Array:
    """Sums of so many squares each, or somewhat more: never less, but for rounding in float64."""
    return _more(_sums(A, axes, count), count)


def brightest(A: NDArray[Any], geometry: Geometry) -> Array:
    """The sums of squares in the windows of images (g, c, n, h, w), or more, (g, 1).

    As if all pixels in the window were as bright as the brightest one of all.
    """
    taps = geometry.kernel[2] * geometry.kernel[3]
    pixels = _sums(A, "gcnhw,gcnhw->gnhw", A.shape[1])
    return _more(pixels.reshape(len(A), -1).max(axis=1, keepdims=True), A.shape[1]) * taps


@np.errstate(all="ignore")
def _sums(A: NDArray[Any], axes: str, count: int) -> NDArray[Any]:
    """The sums in float32, which takes less time, as long as :func:`_more` can make up for it."""
    dtype = np.float32 if count <= MOST else np.float64
    sums: NDArray[Any] = np.einsum(axes, A, A, dtype=dtype, casting="same_kind")
    return sums


@np.errstate(all="ignore")
def _more(sums: NDArray[Any], count: int) -> Array:
    """What sums of so many squares are at most.

    In float32, a sum S loses a factor of at most (1 - 2**-24)**(count + 1) >= 1 - 2*w, with w =
    count * 2**-24, and what is less than 2**-126 may be lost: from each square and each addition,
    together count * 2**-125 at most. With w <= 1/4, (1 + 4*w) * (1 - 2*w) >= 1, and 1 + 4*w <= 2.
    So this is S at least. Infinity stays infinity. It grows with the sums, so that the greatest of
    them has the greatest.
    """
    wide = sums.astype(np.float64)
    if sums.dtype == np.float64:
        return wide
    more: Array = wide * (1 + count * 2.0**-22) + count * 2.0**-124
    return more


def enlarged(squares: Any) -> Array:
    """Norms of sums of squares, by so much more that rounding took nothing from them."""
    norms: Array = np.sqrt(squares) * ENLARGED
    return norms


@np.errstate(all="ignore")
def euclidean(A: NDArray[Any], axes: str) -> Array:
    """Euclidean norms, or somewhat more, of up to 2**32 elements each."""
    return enlarged(np.einsum(axes, A, A, dtype=np.float64))
