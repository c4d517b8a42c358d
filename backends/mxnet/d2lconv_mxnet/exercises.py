"""Exercise 3 in MXNet: what happens if corr2d from scratch is differentiated."""

from collections.abc import Callable

from d2lconv_mxnet.scratch import Tensor, corr2d

from mxnet import autograd  # isort: skip

__all__ = ["REASON", "corr2d", "gradient"]

REASON = (
    "MXNet does not record assignments into an array, because what was there before might be "
    "needed for the gradient. It says so, with an error, at the first one."
)


def gradient(function: Callable[[Tensor, Tensor], Tensor], X: Tensor, K: Tensor) -> Tensor | None:
    """The gradient of the sum of function(X, K) with respect to K, by MXNet's own means."""
    K = K.copy()
    K.attach_grad()
    with autograd.record():
        total = function(X, K).sum()
    total.backward()
    return K.grad
