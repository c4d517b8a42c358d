"""Learning a kernel from data in PyTorch: the loop is the lesson's, with the layer of choice."""

from collections.abc import Callable

import torch
from torch import Tensor

from d2lconv.core.contract import FloatArray
from d2lconv_torch import scratch
from d2lconv_torch.exact import tree_sum
from d2lconv_torch.layers import Conv2D
from d2lconv_torch.tensors import recorded, tensor, without_autocast

LAYERS = ("exact", "builtin")


@recorded
def learn_kernel(
    X: Tensor,
    Y: Tensor,
    initial: FloatArray,
    *,
    lr: float,
    epochs: int,
    layer: str,
    report: Callable[[int, float], None],
) -> Tensor:
    """Gradient descent on the squared error between the layer's output for X and Y.

    Calls ``report(epoch, loss)`` once an epoch, with the loss before the update.
    """
    X, Y = X.detach().clone(), Y.detach().clone()
    kh, kw = initial.shape
    rate = tensor(lr, X.dtype)
    if layer == "exact":
        exact = Conv2D((kh, kw), weight=initial, bias=False)
        return scratch.learn_kernel(exact, X, Y, rate, epochs, lambda A: tree_sum(A[None]), report)
    builtin = scratch.builtin_layer(tensor(initial))
    X, Y = X[None, None], Y[None, None]  # (batch, channel, height, width)
    with without_autocast(X):
        return scratch.learn_kernel(builtin, X, Y, rate, epochs, torch.sum, report)[0, 0]
