"""The layers in MXNet and Gluon: blocks."""

from typing import Any

from d2lconv.core import operations
from d2lconv.core.parameters import convolution, pooling
from d2lconv.core.registry import load
from d2lconv.errors import ArgumentError
from d2lconv_mxnet.tensors import Tensor, tensor

from mxnet import autograd, gluon, init, npx, util  # isort: skip


@util.use_np  # in other threads than the first, NumPy semantics are off
class Conv2D(gluon.Block):  # type: ignore[misc]
    """A cross-correlation plus a bias, on an image (h, w) or, with channels, on (n, c, h, w).

    The arguments are those of :func:`d2lconv.Conv2D`. It is no hybrid block: in a network that is
    hybridised it stays as it is.
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
        bias = self.made.bias
        self.weight = self._parameter("weight", self.made.weight)
        self.bias = None if bias is None else self._parameter("bias", bias)

    def _parameter(self, name: str, value: Any) -> gluon.Parameter:
        start = init.Constant(tensor(value))
        parameter = self.params.get(name, shape=value.shape, dtype=value.dtype, init=start)
        parameter.initialize()
        return parameter

    def forward(self, X: Tensor) -> Tensor:
        made, bias = self.made, None if self.bias is None else self.bias.data()
        return operations.layer(
            load("mxnet"), X, self.weight.data(), bias, made.options, made.method
        )

    def load_parameters(
        self,
        filename: str,
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        **options: Any,
    ) -> None:
        # Gluon's own method fails on every layer that is not inside another block.
        loaded = {self.prefix + name: value for name, value in npx.load(filename).items()}
        self.collect_params().load_dict(
            loaded, ctx, allow_missing, ignore_extra, filename=filename, **options
        )

    def export(self, *args: Any, **options: Any) -> None:
        """Not possible: gluon exports hybrid blocks."""
        raise ArgumentError(
            "MXNet exports hybrid blocks alone, and a layer of d2lconv is none: its gradients are "
            "Python functions. Use save_parameters and load_parameters."
        )

    def __repr__(self) -> str:
        return f"Conv2D({self.made})"


class Pool2D(gluon.Block):  # type: ignore[misc]
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
        return operations.pool2d(load("mxnet"), X, **self.made)

    def __repr__(self) -> str:
        return f"Pool2D({', '.join(f'{name}={value!r}' for name, value in self.made.items())})"


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    X = X.copy()
    X.attach_grad()
    with autograd.record():
        Y = layer(X)
    Y.backward(G)
    found = {"image": X.grad, "weight": layer.weight.grad()}
    return found if layer.bias is None else {**found, "bias": layer.bias.grad()}
