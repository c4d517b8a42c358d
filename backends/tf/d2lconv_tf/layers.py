"""The layers in TensorFlow: those of Keras."""

from typing import Any

import keras
import tensorflow as tf

from d2lconv.core import geometry, operations
from d2lconv.core.data import operands
from d2lconv.core.parameters import convolution, pooling
from d2lconv.core.registry import load
from d2lconv_tf.tensors import shape

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types

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
    """A cross-correlation plus a bias, on an image (h, w) or, with channels, on (n, c, h, w).

    The arguments are those of :func:`d2lconv.Conv2D`, and what every Keras layer takes: name,
    trainable, dtype. With a policy of mixed precision, it computes in the policy's type.
    """

    def __init__(
        self,
        kernel_size: tuple[int, int],
        *,
        in_channels: int | None = None,
        out_channels: int | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        weight: Any = None,
        bias: Any = None,
        seed: int = 0,
        method: str = "exact",
        **layer: Any,
    ) -> None:
        made = convolution(
            kernel_size,
            in_channels=in_channels,
            out_channels=out_channels,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            weight=weight,
            bias=bias,
            seed=seed,
            method=method,
        )
        super().__init__(**_policy(made.weight.dtype.name, layer))
        self.made = made
        self.supports_jit = made.method != "rounded"  # which XLA cannot compile
        self.weight = self.add_weight(
            made.weight.shape, lambda *_, **__: made.weight, name="weight"
        )
        self.bias = None
        if made.bias is not None:
            self.bias = self.add_weight(made.bias.shape, lambda *_, **__: made.bias, name="bias")

    def __call__(self, X: Tensor, **options: Any) -> Tensor:
        # Keras takes no lists, and rewords errors that call() raises, so the input is looked at
        # before. While a model is put together, the input is a symbol without values.
        if not isinstance(X, keras.KerasTensor):
            X, weight = operands(load("tf"), X=X, weight=self.weight)
            geometry.form(shape(X), shape(weight), *self.made.options)
        return super().__call__(X, **options)

    def call(self, X: Tensor) -> Tensor:
        made, weight, bias = self.made, self.weight, self.bias
        if self.autocast:
            weight = tf.cast(tf.convert_to_tensor(weight), self.compute_dtype)
        return operations.layer(load("tf"), X, weight, bias, made.options, made.method)

    def compute_output_shape(self, input_shape: Any) -> Any:
        found = geometry.form(tuple(input_shape), tuple(self.weight.shape), *self.made.options)
        return found.result or found.geometry.shape

    def get_config(self) -> dict[str, Any]:
        # The values of the parameters are saved apart from the configuration, by Keras itself.
        made = self.made
        return {
            **super().get_config(),
            "kernel_size": made.kernel_size,
            "in_channels": made.in_channels,
            "out_channels": made.out_channels,
            **made.options._asdict(),
            "bias": False if made.bias is None else None,
            "method": made.method,
        }


@keras.saving.register_keras_serializable(package="d2lconv")
class Pool2D(keras.layers.Layer):  # type: ignore[misc]
    """The maximum, or the mean, of each window.

    The arguments are those of :func:`d2lconv.Pool2D`, and what every Keras layer takes.
    """

    def __init__(
        self,
        size: Any,
        *,
        mode: str = "max",
        stride: Any = None,
        padding: Any = 0,
        count_include_pad: bool = False,
        method: str = "exact",
        **layer: Any,
    ) -> None:
        made = pooling(size, mode, stride, padding, count_include_pad, method)
        super().__init__(**_policy("float32", layer))
        self.made = made
        self.supports_jit = method != "rounded"  # which XLA cannot compile

    def __call__(self, X: Tensor, **options: Any) -> Tensor:
        if not isinstance(X, keras.KerasTensor):
            (X,) = operands(load("tf"), X=X)
            self._geometry(shape(X))
        return super().__call__(X, **options)

    def call(self, X: Tensor) -> Tensor:
        return operations.pool2d(load("tf"), X, **self.made)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*tuple(input_shape)[:-2], *self._geometry(tuple(input_shape)).output)

    def _geometry(self, image: Any) -> geometry.Geometry:
        made = self.made
        return geometry.pooling(image, made["size"], made["stride"], made["padding"])[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.made}


def _policy(dtype: str, layer: dict[str, Any]) -> dict[str, Any]:
    """What Keras is told of a layer's types: its own, unless a policy of mixed precision is set.

    Without one, Keras must not cast the input: of two types the wider one wins.
    """
    given = layer.get("dtype") or keras.config.dtype_policy()
    policy = keras.dtype_policies.get(given)
    mixed = policy.compute_dtype != policy.variable_dtype
    if layer.get("dtype") is None:
        layer = {**layer, "dtype": policy if mixed else dtype}
    return {"autocast": mixed, **layer}


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = layer(X)
    inputs = {"image": X, **{v.name: v for v in layer.trainable_variables}}
    found: dict[str, Tensor] = tape.gradient(Y, inputs, output_gradients=G)
    return found
