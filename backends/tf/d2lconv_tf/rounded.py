"""The correctly rounded result in TensorFlow: the shared code, called on the host.

In a graph the shared code is called back. XLA calls nothing back: a function with
``jit_compile=True`` cannot have it, and is told so.
"""

from functools import wraps
from typing import Any

import numpy as np
import tensorflow as tf

from d2lconv.core.derivatives import Operation, Rule
from d2lconv.errors import ArgumentError
from d2lconv_tf.private import in_xla

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types


def on_host(function: Operation, shape: Rule) -> Operation:
    """A function of NumPy arrays and, last, a fixed argument, for tensors, of a shape by a rule."""

    @wraps(function)
    def call(*inputs: Any) -> Tensor:
        *tensors, fixed = inputs

        def values(*arrays: Any) -> Any:
            return function(*map(np.asarray, arrays), fixed)  # TensorFlow gives scalars as such

        if tf.executing_eagerly():
            return tf.constant(values(*(tf.convert_to_tensor(t).numpy() for t in tensors)))
        if in_xla():
            raise ArgumentError(
                "what is correctly rounded is computed on the host, which XLA does not call back; "
                "use tf.function without jit_compile=True (in Keras: compile(jit_compile=False)), "
                "or another method."
            )
        found = tf.numpy_function(values, tensors, tensors[0].dtype)
        return tf.ensure_shape(found, shape(*(tuple(t.shape) for t in tensors), fixed))

    return call
