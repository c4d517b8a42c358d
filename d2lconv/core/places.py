"""Cross-correlation as a product with a matrix: where the elements of the kernel stand in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core import checks
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.geometry import output_size
from d2lconv.errors import ShapeError
from d2lconv.extras import needed

BLOCK = 32  # columns of the output that one product with a band matrix gives
LARGEST = 2**26  # elements of a dense matrix: half a gigabyte of the places alone


def window_places(image: tuple[int, ...], kernel: tuple[int, ...]) -> NDArray[np.int64]:
    """Which element of the image stands where in the matrix of its windows.

    Args:
        image: The image's shape (h, w).
        kernel: The kernel's shape (kh, kw).

    Returns:
        A matrix (H * W, kh * kw) of places in the flattened image.

    Example:
        >>> window_places((1, 4), (1, 2))
        array([[0, 1],
               [1, 2],
               [2, 3]])
    """
    (H, W), (kh, kw) = output_size(image, kernel), kernel
    i, j, a, b = np.ogrid[:H, :W, :kh, :kw]
    places: NDArray[np.int64] = (i + a) * image[1] + j + b
    return places.reshape(H * W, kh * kw)


def band_places(kernel: tuple[int, ...], columns: int) -> NDArray[np.int64]:
    """Which element of the kernel stands where in the band matrices of its rows.

    A piece of an image's row times the band matrix of a kernel's row is their cross-correlation,
    so each column of the matrix has the kernel's row in it, one place lower than the one before.

    Args:
        kernel: The kernel's shape (kh, kw).
        columns: How many elements of the output a product gives.

    Returns:
        An array (kh, columns + kw - 1, columns) of places in the flattened kernel; kh * kw where
        there is a zero.

    Example:
        >>> band_places((1, 2), 3)
        array([[[0, 2, 2],
                [1, 0, 2],
                [2, 1, 0],
                [2, 2, 1]]])
    """
    kh, kw = kernel
    a, i, j = np.ogrid[:kh, : columns + kw - 1, :columns]
    places: NDArray[np.int64] = np.where((i >= j) & (i < j + kw), a * kw + i - j, kh * kw)
    return places


def kernel_places(kernel: tuple[int, ...], image: Any) -> NDArray[np.int64]:
    """Which element of the kernel stands where in its Toeplitz matrix.

    Args:
        kernel: The kernel's shape (kh, kw).
        image: The image's shape (h, w).

    Returns:
        A matrix (H * W, h * w) of places in the flattened kernel; kh * kw where there is a zero.

    Example:
        >>> kernel_places((1, 2), (1, 4))
        array([[0, 1, 2, 2],
               [2, 0, 1, 2],
               [2, 2, 0, 1]])
    """
    h, w = checks.pair("input_shape", image)
    (H, W), (kh, kw) = output_size((h, w), kernel), kernel
    if H * W * h * w > LARGEST:
        raise ShapeError(
            f"input_shape is {(h, w)}, so the matrix would have {H * W} x {h * w} elements; a "
            f"dense one may have {LARGEST}. Use sparse=True, or a smaller image."
        )
    # The row (i, j) has K[a, b] in the column (i + a, j + b).
    i, j, a, b = np.ogrid[:H, :W, :kh, :kw]
    places = np.full((H, W, h, w), kh * kw)
    places[i, j, i + a, j + b] = a * kw + b
    return places.reshape(H * W, h * w)


def sparse_toeplitz(K: Any, input_shape: Any) -> Any:
    """The Toeplitz matrix of a kernel as a ``scipy.sparse.csr_array``; zeros take no memory."""
    with needed("sparse"):
        from scipy import sparse
    values: FloatArray = detached(K, "K")
    checks.matrix(values.shape, "K")
    if values.dtype == np.float16:  # which SciPy does not have
        values = values.astype(np.float32)
    h, w = checks.pair("input_shape", input_shape)
    columns = window_places((h, w), values.shape)
    rows, size = columns.shape
    elements = np.tile(values.reshape(-1), rows)
    starts = np.arange(rows + 1) * size
    return sparse.csr_array((elements, columns.reshape(-1), starts), shape=(rows, h * w))
