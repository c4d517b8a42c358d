"""Exercise 3 in NumPy: what happens if corr2d from scratch is differentiated."""

from collections.abc import Callable

from d2lconv.core.contract import FloatArray as Tensor
from d2lconv_numpy.scratch import corr2d

__all__ = ["REASON", "corr2d", "gradient"]

REASON = "NumPy computes values only. Gradients are for the frameworks, or for pencil and paper."


def gradient(function: Callable[[Tensor, Tensor], Tensor], X: Tensor, K: Tensor) -> Tensor:
    """The gradient of the sum of function(X, K) with respect to K, which NumPy cannot give."""
    raise NotImplementedError("NumPy has no automatic differentiation")
