"""Learning a kernel from data in PyTorch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from d2lconv.contract import FloatArray
from d2lconv_torch.layers import Conv2D
from d2lconv_torch.ops import tensor, tree_sum

LAYERS = ("exact", "builtin")


@torch.inference_mode(False)
@torch.enable_grad()
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
    X, Y = X.detach().clone(), Y.detach().clone()  # tensors of inference mode cannot be recorded
    kh, kw = initial.shape
    conv: Conv2D | nn.Conv2d
    total: Callable[[Tensor], Tensor]
    if layer == "exact":
        conv, total = Conv2D((kh, kw), weight=initial, bias=False), tree_sum
    else:
        conv, total = _builtin(initial), torch.sum
        X, Y = X[None, None], Y[None, None]  # (batch, channel, height, width)
    rate = tensor(lr, X.dtype)
    for epoch in range(1, epochs + 1):
        D = conv(X) - Y
        loss = total((D * D).reshape(-1))
        (gradient,) = torch.autograd.grad(loss, [conv.weight])
        with torch.no_grad():
            conv.weight -= rate * gradient
        report(epoch, loss.item())
    return conv.weight.detach().reshape(kh, kw)


def _builtin(initial: FloatArray) -> nn.Conv2d:
    """PyTorch's own layer, starting from the same kernel."""
    kh, kw = initial.shape
    weight = tensor(initial[None, None])
    conv = nn.Conv2d(1, 1, kernel_size=(kh, kw), bias=False, dtype=weight.dtype)
    conv.weight = nn.Parameter(weight)
    return conv
