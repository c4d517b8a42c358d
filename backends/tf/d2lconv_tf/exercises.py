"""Exercise 3 in TensorFlow: what happens if corr2d from scratch is differentiated."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from d2lconv_tf.scratch import corr2d

__all__ = ["REASON", "corr2d", "gradient"]

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types

REASON = (
    "TensorFlow's tensors cannot be assigned to, so the from-scratch code assigns to a variable. "
    "The tape does not record what a variable was assigned from: for it, the output is a new "
    "variable, which depends on nothing. The gradient is None, and nobody says a word."
)


def gradient(function: Callable[[Tensor, Tensor], Tensor], X: Tensor, K: Tensor) -> Tensor | None:
    """The gradient of the sum of function(X, K) with respect to K, by TensorFlow's own means."""
    with tf.GradientTape() as tape:
        tape.watch(K)
        total = tf.reduce_sum(function(X, K))
    return tape.gradient(total, K)
