"""The correctly rounded result in JAX: the shared code, called on the host.

In a function that JAX compiles, the call becomes a callback. The answer is the same, because there
is only one.
"""

from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array as Tensor

from d2lconv.core.derivatives import Operation, Rule
from d2lconv_jax import runtime
from d2lconv_jax.tensors import check_known, wide


def on_host(function: Operation, shape: Rule) -> Operation:
    """A function of NumPy arrays and, last, a fixed argument, for arrays, of a shape by a rule."""

    @runtime.on_host
    @wraps(function)
    def call(*inputs: Any) -> Tensor:
        *tensors, fixed = inputs

        def values(*arrays: Any) -> Any:
            return function(*map(np.asarray, arrays), fixed)

        if not any(isinstance(t, jax.core.Tracer) for t in tensors):
            return wide(jnp.asarray)(values(*tensors))
        for t in tensors:
            check_known(t.shape, "what is rounded once, on the host,")
        result = jax.ShapeDtypeStruct(shape(*(t.shape for t in tensors), fixed), tensors[0].dtype)
        found: Tensor = jax.pure_callback(values, result, *tensors)
        return found

    return call
