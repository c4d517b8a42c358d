"""Flax's own layers as they are if nobody says otherwise: what d2lconv.parity.conventions asks.

Arrays are NumPy's, in the layout that the layers take. Options have Flax's names.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

LAYERS = "flax.linen"


def convolution(X: Any, outputs: int, size: Any, kernel: Any = None, **options: Any) -> Any:
    """A layer made for X: its result, its kernel, and its bias or None.

    ``kernel``, if given, replaces the initial values, and the bias is then 0.
    """
    layer, given = nn.Conv(outputs, size, **options), jnp.asarray(X)
    held: Any = layer.init(jax.random.key(0), given)["params"]
    if kernel is not None:
        held = {name: jnp.zeros_like(value) for name, value in held.items()}
        held["kernel"] = jnp.broadcast_to(jnp.asarray(kernel), held["kernel"].shape)
    Y: Any = layer.apply({"params": held}, given)
    bias = np.asarray(held["bias"]) if "bias" in held else None
    return np.asarray(Y), np.asarray(held["kernel"]), bias


def max_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The maximum of each window."""
    return np.asarray(nn.max_pool(jnp.asarray(X), size, **options))


def mean_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The mean of each window."""
    return np.asarray(nn.avg_pool(jnp.asarray(X), size, **options))


def flatten(X: Any) -> Any:
    """What a dense layer gets of images; Flax has no layer for it."""
    return np.asarray(jnp.asarray(X).reshape(len(X), -1))
