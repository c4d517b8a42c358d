"""The convolutional layer in MXNet and Gluon."""

from typing import Any

from mxnet import autograd, gluon, init, npx, util

from d2lconv.data import initial_values
from d2lconv_mxnet.ops import Tensor, add_bias, cast, corr2d, dtype_name, tensor


@util.use_np  # in other threads than the first, NumPy semantics are off
class Conv2D(gluon.Block):  # type: ignore[misc]
    """A cross-correlation plus a scalar bias, one channel, on an image (h, w).

    Args:
        kernel_size: Height and width of the kernel.
        weight: The initial kernel; random from the seed if None.
        bias: The initial bias; 0 if None, no bias at all if False.
        seed: The seed of the random kernel, the same in every framework.
        block: What every Gluon block takes: prefix, params.
    """

    def __init__(
        self,
        kernel_size: tuple[int, int],
        *,
        weight: Any = None,
        bias: Any = None,
        seed: int = 0,
        **block: Any,
    ) -> None:
        super().__init__(**block)
        weight, bias = initial_values(kernel_size, weight, bias, seed)
        self.weight = self._parameter("weight", weight)
        self.bias = None if bias is None else self._parameter("bias", bias)

    def _parameter(self, name: str, value: Any) -> gluon.Parameter:
        start = init.Constant(tensor(value))
        parameter = self.params.get(name, shape=value.shape, dtype=value.dtype, init=start)
        parameter.initialize()
        return parameter

    def forward(self, X: Tensor) -> Tensor:
        Y = corr2d(X, self.weight.data())
        return Y if self.bias is None else add_bias(Y, cast(self.bias.data(), dtype_name(Y)))

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

    def __repr__(self) -> str:
        return f"Conv2D(kernel_size={self.weight.shape}, bias={self.bias is not None})"


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    X = X.copy()
    X.attach_grad()
    with autograd.record():
        Y = layer(X)
    Y.backward(G)
    found = {"image": X.grad, "weight": layer.weight.grad()}
    return found if layer.bias is None else {**found, "bias": layer.bias.grad()}
