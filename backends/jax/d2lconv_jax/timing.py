"""What a benchmark has to know of JAX."""

from collections.abc import Callable

import jax
from jax import Array as Tensor

from d2lconv.core.geometry import Geometry
from d2lconv_jax.methods import native


def wait(t: Tensor) -> None:
    """Return when the array is computed. JAX computes while Python goes on."""
    t.block_until_ready()


def convolution(X: Tensor, K: Tensor, geometry: Geometry) -> Callable[[], Tensor]:
    """A call of JAX's own convolution, compiled, on arrays that are in its layout."""
    compiled = jax.jit(lambda X, K: native(X, K, geometry))
    return lambda: compiled(X, K)
