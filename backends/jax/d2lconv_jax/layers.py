"""The convolutional layer in JAX and Flax."""

from dataclasses import field
from typing import Any

import jax
from flax import linen as nn
from jax import Array as Tensor

from d2lconv.contract import FloatArray
from d2lconv.data import initial_values
from d2lconv_jax.ops import add_bias, cast, corr2d, dtype_name, tensor


class Conv2D(nn.Module):
    """A cross-correlation plus a scalar bias, one channel, on an image (h, w).

    As with every Flax module, ``init`` gives the parameters and ``apply`` takes them. Called
    without, the layer answers with its initial parameters.

    Args:
        kernel_size: Height and width of the kernel.
        weight: The initial kernel; random from the seed if None.
        bias: The initial bias; 0 if None, no bias at all if False.
        seed: The seed of the random kernel, the same in every framework.
    """

    kernel_size: tuple[int, int]
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.weight, _Values):  # it is one in a copy that Flax makes
            weight, bias = initial_values(self.kernel_size, self.weight, self.bias, self.seed)
            object.__setattr__(self, "kernel_size", weight.shape)
            object.__setattr__(self, "weight", _Values(weight))
            object.__setattr__(self, "bias", False if bias is None else _Values(bias))
        super().__post_init__()

    def __call__(self, X: Tensor) -> Tensor:
        if self.scope is None:
            return self.init_with_output(jax.random.key(0), X)[0]
        return self.forward(X)

    @nn.compact
    def forward(self, X: Tensor) -> Tensor:
        Y = corr2d(X, self.param("weight", self.weight))
        return (
            Y if not self.bias else add_bias(Y, cast(self.param("bias", self.bias), dtype_name(Y)))
        )


class _Values:
    """Initial values, as a Flax initialiser that ignores the random key.

    Flax compares and hashes modules by their fields, which arrays do not allow and this does.
    """

    def __init__(self, values: FloatArray) -> None:
        self.values = values
        self.identity = (values.shape, values.dtype.str, values.tobytes())

    def __call__(self, key: Any) -> Tensor:
        return tensor(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Values) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        return repr(self.values.tolist())


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    parameters = layer.init(jax.random.key(0), X)
    _, pull = jax.vjp(layer.apply, parameters, X)
    of_parameters, of_image = pull(G)
    return {"image": of_image, **of_parameters["params"]}
