"""The convolutional layer in NumPy."""

from typing import Any

from d2lconv.contract import FloatArray as Tensor
from d2lconv.data import initial_values, operands
from d2lconv_numpy.ops import (
    add_bias,
    cast,
    corr2d,
    dtype_name,
    image_gradient,
    kernel_gradient,
    tensor,
    tree_sum,
)


class Conv2D:
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
        weight, bias = initial_values(kernel_size, weight, bias, seed)
        self.weight = tensor(weight)
        self.bias = None if bias is None else tensor(bias)

    def __call__(self, X: Tensor) -> Tensor:
        Y = corr2d(X, self.weight)
        return Y if self.bias is None else add_bias(Y, cast(self.bias, dtype_name(Y)))

    def __repr__(self) -> str:
        return f"Conv2D(kernel_size={self.weight.shape}, bias={self.bias is not None})"


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    (image,) = operands("numpy", X=X)
    X, K, G = operands("numpy", X=image, K=layer.weight, G=G)
    found = {
        "image": cast(image_gradient(K, G), dtype_name(image)),
        "weight": cast(kernel_gradient(X, G), dtype_name(layer.weight)),
    }
    if layer.bias is not None:
        found["bias"] = cast(tree_sum(G.reshape(1, -1)), dtype_name(layer.bias))
    return found
