"""The convolutional layer in PyTorch."""

from typing import Any

import torch
from torch import Tensor, nn

from d2lconv.data import initial_values
from d2lconv_torch.ops import add_bias, cast, corr2d, dtype_name, tensor


class Conv2D(nn.Module):
    """A cross-correlation plus a scalar bias, one channel, on an image (h, w).

    Args:
        kernel_size: Height and width of the kernel.
        weight: The initial kernel; random from the seed if None.
        bias: The initial bias; 0 if None, no bias at all if False.
        seed: The seed of the random kernel, the same in every framework.
    """

    def __init__(
        self, kernel_size: tuple[int, int], *, weight: Any = None, bias: Any = None, seed: int = 0
    ) -> None:
        super().__init__()
        weight, bias = initial_values(kernel_size, weight, bias, seed)
        self.weight = nn.Parameter(tensor(weight))
        self.bias = None if bias is None else nn.Parameter(tensor(bias))

    def forward(self, X: Tensor) -> Tensor:
        Y = corr2d(X, self.weight)
        return Y if self.bias is None else add_bias(Y, cast(self.bias, dtype_name(Y)))

    def extra_repr(self) -> str:
        return f"kernel_size={tuple(self.weight.shape)}, bias={self.bias is not None}"


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    named = {"image": X.detach().clone().requires_grad_(), **dict(layer.named_parameters())}
    Y = layer(named["image"])
    return dict(zip(named, torch.autograd.grad(Y, list(named.values()), G), strict=True))
