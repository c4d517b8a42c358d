"""What a benchmark has to know of MXNet."""

from collections.abc import Callable

from d2lconv.core.geometry import Geometry
from d2lconv_mxnet.methods import arguments
from d2lconv_mxnet.tensors import Tensor

from mxnet import npx  # isort: skip


def wait(t: Tensor) -> None:
    """Return when the array is computed. MXNet computes while Python goes on."""
    t.wait_to_read()


def convolution(X: Tensor, K: Tensor, geometry: Geometry) -> Callable[[], Tensor]:
    """A call of MXNet's own convolution, on arrays that are in its layout."""
    X, options = arguments(X, geometry)
    return lambda: npx.convolution(X, weight=K, **options)
