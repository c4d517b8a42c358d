"""What a benchmark has to know of TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from d2lconv.core.geometry import Geometry
from d2lconv_tf.methods import arguments

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types


def wait(t: Tensor) -> None:
    """Return when the tensor is computed. On the CPU it is; a GPU computes while Python goes on."""
    if "GPU" in t.device:
        tf.test.experimental.sync_devices()


def convolution(X: Tensor, K: Tensor, geometry: Geometry) -> Callable[[], Tensor]:
    """A call of TensorFlow's own convolution, on tensors that were put into its layout before."""
    images, kernels, options = arguments(X, K, geometry)
    return lambda: tf.nn.conv2d(images, kernels, **options)
