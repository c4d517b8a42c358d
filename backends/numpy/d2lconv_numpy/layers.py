"""The layers in NumPy: plain objects that can be called."""

from typing import Any

from d2lconv.core import operations
from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.data import operands
from d2lconv.core.geometry import form
from d2lconv.core.parameters import convolution, pooling
from d2lconv.core.registry import load
from d2lconv_numpy import exact
from d2lconv_numpy.methods import METHODS, PIECES
from d2lconv_numpy.tensors import cast, dtype_name, reshape, tensor


class Conv2D:
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
        self.weight = tensor(self.made.weight)
        self.bias = None if self.made.bias is None else tensor(self.made.bias)

    def __call__(self, X: Tensor) -> Tensor:
        made = self.made
        return operations.layer(load("numpy"), X, self.weight, self.bias, made.options, made.method)

    def __repr__(self) -> str:
        return f"Conv2D({self.made})"


class Pool2D:
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
        self.made = pooling(size, mode, stride, padding, count_include_pad, method)

    def __call__(self, X: Tensor) -> Tensor:
        return operations.pool2d(load("numpy"), X, **self.made)

    def __repr__(self) -> str:
        return f"Pool2D({', '.join(f'{name}={value!r}' for name, value in self.made.items())})"


def gradients(layer: Conv2D, X: Tensor, G: Tensor, *, image: bool = True) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any.

    That of the image takes long, and may be left out.
    """
    numpy, made = load("numpy"), layer.made
    (given,) = operands(numpy, X=X)
    X, K, G = operands(numpy, X=given, K=layer.weight, G=G)
    found = form(X.shape, K.shape, *made.options)
    X4, K4 = reshape(X, found.image or X.shape), reshape(K, found.kernel or K.shape)
    G4 = reshape(G, (len(X4), *found.geometry.shape[1:]))
    method = METHODS[made.method]
    all_of = {}
    if image:
        dX = reshape(method.image_gradient(K4, G4, found.geometry), X.shape)
        all_of["image"] = cast(dX, dtype_name(given))
    dK = reshape(method.kernel_gradient(X4, G4, found.geometry), K.shape)
    all_of["weight"] = cast(dK, dtype_name(layer.weight))
    if layer.bias is not None:
        summed = PIECES["sums"] if made.method == "rounded" else exact.bias_gradient
        all_of["bias"] = cast(summed(G4, None), dtype_name(layer.bias))
    return all_of
