"""Learning a kernel from data in JAX: the loop is the lesson's, with the layer of choice."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array as Tensor

from d2lconv.core.contract import FloatArray
from d2lconv_jax import scratch
from d2lconv_jax.exact import tree_sum
from d2lconv_jax.layers import Conv2D
from d2lconv_jax.tensors import tensor, wide

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
    rate = tensor(lr, X.dtype)
    if layer == "exact":
        exact = Conv2D((kh, kw), weight=initial, bias=False)

        def total(A: Tensor) -> Tensor:
            return tree_sum(A.reshape(-1))

        return scratch.learn_kernel(exact, X, Y, rate, epochs, total, report)
    builtin = scratch.builtin_layer(tensor(initial))
    X, Y = X[None, :, :, None], Y[None, :, :, None]  # (batch, height, width, channel)
    return scratch.learn_kernel(builtin, X, Y, rate, epochs, jnp.sum, report)[:, :, 0, 0]
