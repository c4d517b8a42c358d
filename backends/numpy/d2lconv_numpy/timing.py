"""What a benchmark has to know of NumPy."""

from collections.abc import Callable

from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.geometry import Geometry
from d2lconv_numpy.methods import native


def wait(t: Tensor) -> None:
    """Return when the array is computed: it is."""


def convolution(X: Tensor, K: Tensor, geometry: Geometry) -> Callable[[], Tensor]:
    """NumPy has no convolution of images; the nearest is tensordot over sliding windows."""
    return lambda: native(X, K, geometry)
