"""The lesson's images."""

import numpy as np

from d2lconv.contract import FloatArray
from d2lconv.errors import ArgumentError


def edge_image() -> FloatArray:
    """The 6x8 image of ones whose columns 2 to 5 are zero: white, black, white."""
    X = np.ones((6, 8), np.float32)
    X[:, 2:6] = 0
    return X


def diagonal_image(n: int) -> FloatArray:
    """The n x n image of zeros with ones on its main diagonal."""
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 1:
        raise ArgumentError(f"n is {n!r}; it must be an integer of at least 1.")
    return np.eye(n, dtype=np.float32)
