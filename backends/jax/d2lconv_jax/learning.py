"""Learning a kernel from data in JAX and Flax."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array as Tensor

from d2lconv.contract import FloatArray
from d2lconv_jax.layers import Conv2D
from d2lconv_jax.ops import tensor, tree_sum, wide

LAYERS = ("exact", "builtin")


@wide
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
    kh, kw = initial.shape
    conv: nn.Module
    total: Callable[[Tensor], Tensor]
    if layer == "exact":
        conv, total = Conv2D((kh, kw), weight=initial, bias=False), tree_sum
    else:
        conv, total = _builtin(initial), jnp.sum
        X, Y = X[None, :, :, None], Y[None, :, :, None]  # (batch, height, width, channel)

    def squared_error(params: Any) -> Tensor:
        D = conv.apply(params, X) - Y
        return total((D * D).reshape(-1))

    params = conv.init(jax.random.key(0), X)
    rate = tensor(lr, X.dtype)
    for epoch in range(1, epochs + 1):
        loss, gradients = jax.value_and_grad(squared_error)(params)
        params = jax.tree.map(lambda p, g: p - rate * g, params, gradients)
        report(epoch, float(loss))
    (weight,) = jax.tree.leaves(params)
    return weight.reshape(kh, kw)


def _builtin(initial: FloatArray) -> nn.Conv:
    """Flax's own layer, starting from the same kernel."""
    weight = tensor(initial[:, :, None, None])
    return nn.Conv(
        features=1,
        kernel_size=initial.shape,
        padding="VALID",
        use_bias=False,
        param_dtype=weight.dtype,
        kernel_init=lambda key, shape, dtype: weight,
    )
