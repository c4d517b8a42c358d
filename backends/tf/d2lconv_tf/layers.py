"""The convolutional layer in TensorFlow and Keras."""

from typing import Any

import keras
import tensorflow as tf

from d2lconv.checks import output_shape
from d2lconv.data import initial_values, operands
from d2lconv_tf.ops import Tensor, add_bias, cast, corr2d, dtype_name

if not hasattr(keras, "KerasTensor"):
    raise ImportError(
        f"Keras {keras.__version__} is there, and this backend needs Keras 3: "
        'run pip install --upgrade "keras>=3"'
    )
if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"Keras runs on {keras.backend.backend()!r} here, and this backend needs it on TensorFlow: "
        "start Python with KERAS_BACKEND=tensorflow"
    )


@keras.saving.register_keras_serializable(package="d2lconv")
class Conv2D(keras.layers.Layer):  # type: ignore[misc]
    """A cross-correlation plus a scalar bias, one channel, on an image (h, w).

    Args:
        kernel_size: Height and width of the kernel.
        weight: The initial kernel; random from the seed if None.
        bias: The initial bias; 0 if None, no bias at all if False.
        seed: The seed of the random kernel, the same in every framework.
        layer: What every Keras layer takes: name, trainable, dtype.
    """

    def __init__(
        self,
        kernel_size: tuple[int, int],
        *,
        weight: Any = None,
        bias: Any = None,
        seed: int = 0,
        **layer: Any,
    ) -> None:
        weight, bias = initial_values(kernel_size, weight, bias, seed)
        super().__init__(**{"dtype": weight.dtype.name, "autocast": False, **layer})
        self.weight = self.add_weight(weight.shape, lambda *_, **__: weight, name="weight")
        self.bias = bias
        if bias is not None:
            self.bias = self.add_weight(bias.shape, lambda *_, **__: bias, name="bias")

    def __call__(self, X: Tensor, **options: Any) -> Tensor:
        # Keras takes no lists, and rewords errors that call() raises, so the input is looked at
        # before. While a model is put together, the input is a symbol without values.
        if not isinstance(X, keras.KerasTensor):
            X, K = operands("tf", X=X, K=self.weight)
            output_shape(X.shape, K.shape)
        return super().__call__(X, **options)

    def call(self, X: Tensor) -> Tensor:
        Y = corr2d(X, self.weight)
        return Y if self.bias is None else add_bias(Y, cast(self.bias, dtype_name(Y)))

    def get_config(self) -> dict[str, Any]:
        # The values of the parameters are saved apart from the configuration, by Keras itself.
        start = {
            "kernel_size": tuple(self.weight.shape),
            "bias": False if self.bias is None else None,
        }
        return {**super().get_config(), **start}


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = layer(X)
    inputs = {"image": X, **{v.name: v for v in layer.trainable_variables}}
    found: dict[str, Tensor] = tape.gradient(Y, inputs, output_gradients=G)
    return found
