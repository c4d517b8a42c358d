"""The layers in PyTorch: modules."""

from typing import Any

import torch
from torch import Tensor, nn

from d2lconv.core import operations
from d2lconv.core.parameters import convolution, pooling
from d2lconv.core.registry import load
from d2lconv_torch.tensors import recorded, tensor


class Conv2D(nn.Module):
    """A cross-correlation plus a bias, on an image (h, w) or, with channels, on (n, c, h, w).

    The arguments are those of :func:`d2lconv.Conv2D`.
    """

    def __init__(
        self,
        kernel_size: tuple[int, int],
        *,
        in_channels: int | None = None,
        out_channels: int | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        weight: Any = None,
        bias: Any = None,
        seed: int = 0,
        method: str = "exact",
    ) -> None:
        super().__init__()
        self.made = convolution(
            kernel_size,
            in_channels=in_channels,
            out_channels=out_channels,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            weight=weight,
            bias=bias,
            seed=seed,
            method=method,
        )
        self.weight = nn.Parameter(tensor(self.made.weight))
        bias = self.made.bias
        self.bias = None if bias is None else nn.Parameter(tensor(bias))

    def forward(self, X: Tensor) -> Tensor:
        made = self.made
        Y: Tensor = operations.layer(
            load("torch"), X, self.weight, self.bias, made.options, made.method
        )
        return Y

    def extra_repr(self) -> str:
        return str(self.made)


class Pool2D(nn.Module):
    """The maximum, or the mean, of each window.

    The arguments are those of :func:`d2lconv.Pool2D`.
    """

    def __init__(
        self,
        size: Any,
        *,
        mode: str = "max",
        stride: Any = None,
        padding: Any = 0,
        count_include_pad: bool = False,
        method: str = "exact",
    ) -> None:
        super().__init__()
        self.made = pooling(size, mode, stride, padding, count_include_pad, method)

    def forward(self, X: Tensor) -> Tensor:
        Y: Tensor = operations.pool2d(load("torch"), X, **self.made)
        return Y

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.made.items())


@recorded
def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    named = {"image": X.detach().clone().requires_grad_(), **dict(layer.named_parameters())}
    Y = layer(named["image"])
    return dict(zip(named, torch.autograd.grad(Y, list(named.values()), G), strict=True))
