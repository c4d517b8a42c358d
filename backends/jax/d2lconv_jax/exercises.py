"""Exercise 3 in JAX: what happens if corr2d from scratch is differentiated."""

from collections.abc import Callable

import jax
from jax import Array as Tensor

from d2lconv_jax.scratch import corr2d

__all__ = ["REASON", "corr2d", "gradient"]

REASON = (
    "JAX's arrays cannot be assigned to; Y.at[i, j].set(...) gives a new array and is a function "
    "like any other, with a gradient. It costs a copy of Y for every element."
)


def gradient(function: Callable[[Tensor, Tensor], Tensor], X: Tensor, K: Tensor) -> Tensor | None:
    """The gradient of the sum of function(X, K) with respect to K, by JAX's own means."""
    return jax.grad(lambda K: function(X, K).sum())(K)
