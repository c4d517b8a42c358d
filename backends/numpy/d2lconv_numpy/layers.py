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

    NumPy does not differentiate, so the layer has a method that does: :meth:`gradients`.

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

    def gradients(self, X: Tensor, G: Tensor) -> dict[str, Tensor]:
        """The gradients with respect to image, weight and bias.

        Args:
            X: The image (h, w) that the layer was called with.
            G: The gradient (h - kh + 1, w - kw + 1) with respect to the layer's output.

        Returns:
            Arrays by name: "image" (h, w), "weight" (kh, kw), and "bias" (1,) if there is a bias.
        """
        X, K, G = operands("numpy", X=X, K=self.weight, G=G)
        gradients = {"image": image_gradient(K, G), "weight": kernel_gradient(X, G)}
        return gradients if self.bias is None else {**gradients, "bias": tree_sum(G.reshape(1, -1))}

    def __repr__(self) -> str:
        return f"Conv2D(kernel_size={self.weight.shape}, bias={self.bias is not None})"
