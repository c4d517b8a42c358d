"""Exercise 3 in PyTorch: what happens if corr2d from scratch is differentiated."""

from collections.abc import Callable

import torch
from torch import Tensor

from d2lconv_torch.scratch import corr2d

__all__ = ["REASON", "corr2d", "gradient"]

REASON = (
    "PyTorch records assignments into a tensor like any other operation, as long as nothing that "
    "the gradient needs is overwritten. The zeros that are assigned to are not needed."
)


def gradient(function: Callable[[Tensor, Tensor], Tensor], X: Tensor, K: Tensor) -> Tensor | None:
    """The gradient of the sum of function(X, K) with respect to K, by PyTorch's own means."""
    K = K.detach().clone().requires_grad_()
    torch.autograd.backward(function(X, K).sum())
    return K.grad
