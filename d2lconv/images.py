"""The lesson's images."""

import numpy as np

from d2lconv import checks
from d2lconv.contract import FloatArray


def edge_image() -> FloatArray:
    """The 6x8 image of ones whose columns 2 to 5 are zero: white, black, white."""
    X = np.ones((6, 8), np.float32)
    X[:, 2:6] = 0
    return X


def diagonal_image(n: int) -> FloatArray:
    """The n x n image of zeros with ones on its main diagonal."""
    return np.eye(checks.whole_number("n", n, least=1), dtype=np.float32)
