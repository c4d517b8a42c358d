"""What a benchmark has to know of TensorFlow."""

from collections.abc import Callable

import tensorflow as tf

from d2lconv_tf.ops import Tensor


def wait(t: Tensor) -> None:
    """Return when the tensor is computed. On the CPU it is; a GPU computes while Python goes on."""
    if "GPU" in t.device:
        tf.test.experimental.sync_devices()


def convolution(X: Tensor, K: Tensor) -> Callable[[], Tensor]:
    """A call of TensorFlow's own convolution, on tensors that were put into its layout before."""
    image, kernel = X[None, :, :, None], K[:, :, None, None]  # (batch, height, width, channel)
    return lambda: tf.nn.conv2d(image, kernel, strides=1, padding="VALID")
