"""LeNet in TensorFlow: a ``keras.Sequential``, trained by a gradient tape."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from d2lconv.core import network
from d2lconv.core.contract import FloatArray
from d2lconv.core.derivatives import Operation
from d2lconv.core.lenet import IMAGE, Layer, Network, lenet
from d2lconv.core.registry import load
from d2lconv_tf import scratch
from d2lconv_tf.layers import Conv2D, Pool2D
from d2lconv_tf.tensors import tensor, to_numpy

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types

# Whatever Keras's own settings are, for the whole process, or in keras.json.
PLAIN: dict[str, Any] = {"dtype": "float32"}
LAST: dict[str, Any] = {**PLAIN, "data_format": "channels_last"}


@keras.saving.register_keras_serializable(package="d2lconv")
class LeNet(keras.Sequential):  # type: ignore[misc]
    """The network that a description says."""

    def __init__(self, made: Network) -> None:
        make = _builtin if made.is_builtin else _layer
        parts = [make(one, made) for one in made.layers]
        if made.is_builtin:  # Keras's own layers have the channels last
            parts.insert(0, keras.layers.Permute((2, 3, 1), name="channels_last", **PLAIN))
            flatten = [one.kind for one in made.layers].index("flatten") + 1
            first = keras.layers.Permute((3, 1, 2), name="channels_first", **PLAIN)
            parts.insert(flatten, first)
        super().__init__([keras.Input(IMAGE, **PLAIN), *parts], name="lenet")
        self.dtype_policy = "float32"
        self.made = made
        assign(self, made.start)

    def get_config(self) -> dict[str, Any]:
        # The values of the parameters are saved apart from the configuration, by Keras itself.
        return dict(self.made.options)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "LeNet":
        return cls(lenet(**config))

    def summary(self) -> None:
        """Print the shapes after each layer, and the number of parameters."""
        print(self.made)


@keras.saving.register_keras_serializable(package="d2lconv")
class Dense(keras.layers.Layer):  # type: ignore[misc]
    """A fully connected layer with weights (o, i) and a bias (o,), correctly rounded."""

    def __init__(self, shape: tuple[int, ...], **layer: Any) -> None:
        super().__init__(**{"dtype": "float32", **layer})
        self.weight = self.add_weight(shape, name="weight")
        self.bias = self.add_weight(shape[:1], name="bias")

    def call(self, X: Tensor) -> Tensor:
        weight, bias = map(tf.convert_to_tensor, (self.weight, self.bias))
        return network.dense(load("tf"), X, weight, bias)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0], self.bias.shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "shape": tuple(self.weight.shape)}


@keras.saving.register_keras_serializable(package="d2lconv")
class Activation(keras.layers.Layer):  # type: ignore[misc]
    """A function of each element, correctly rounded."""

    def __init__(self, function: str, **layer: Any) -> None:
        super().__init__(**{"dtype": "float32", **layer})
        self.function = function

    def call(self, X: Tensor) -> Tensor:
        return getattr(network, self.function)(load("tf"), X)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "function": self.function}


def _layer(one: Layer, made: Network) -> Any:
    method = made.options["method"]
    if one.kind == "conv":
        return Conv2D(**one.convolution, method=method, name=one.name, **PLAIN)
    if one.kind == "dense":
        return Dense(one.shapes["weight"], name=one.name)
    if one.kind == "flatten":
        return keras.layers.Flatten(name=one.name, **LAST)
    if one.kind in ("avg", "max"):
        return Pool2D(2, mode=one.kind, method=method, name=one.name, **PLAIN)
    return Activation(one.kind, name=one.name)


def _builtin(one: Layer, made: Network) -> Any:
    layers = keras.layers
    if one.kind == "conv":
        padding = "same" if one.padding else "valid"
        return layers.Conv2D(one.output[0], 5, padding=padding, name=one.name, **LAST)
    if one.kind == "dense":
        return layers.Dense(one.output[0], name=one.name, **PLAIN)
    if one.kind == "flatten":
        return layers.Flatten(name=one.name, **LAST)
    if one.kind in ("avg", "max"):
        pool = layers.AveragePooling2D if one.kind == "avg" else layers.MaxPooling2D
        return pool(2, name=one.name, **LAST)
    return layers.Activation(one.kind, name=one.name, **PLAIN)


def parameters(net: LeNet) -> dict[str, FloatArray]:
    """Copies of the parameters by name, as the description has them."""
    return _named(net, [variable.value for variable in net.trainable_variables])


def assign(net: LeNet, values: Mapping[str, FloatArray]) -> None:
    """Give a network other parameters, as :func:`parameters` gives them."""
    for name, variable in zip(net.made.shapes, net.trainable_variables, strict=True):
        value = tensor(values[name])
        if net.made.is_builtin:
            axes = {2: (1, 0), 4: (2, 3, 1, 0)}.get(value.ndim)
            value = value if axes is None else tf.transpose(value, axes)
        variable.assign(value)


def outputs(net: LeNet, X: Tensor) -> list[Tensor]:
    """What each layer makes of images (n, 1, 28, 28), one after the other."""
    found = {}
    for layer in net.layers:
        X = layer(X)
        last = net.made.is_builtin and X.shape.rank == 4  # the channels
        found[layer.name] = tf.transpose(X, (0, 3, 1, 2)) if last else X
    return [found[one.name] for one in net.made.layers]


def layer(net: LeNet, name: str) -> Operation:
    """What a layer computes, as a function of a tensor."""
    found: Any = net.get_layer(name)
    if net.made.is_builtin and len(found.output.shape) == 4:  # before flattening
        permute = keras.layers.Permute
        found = keras.Sequential([permute((2, 3, 1)), found, permute((3, 1, 2))])
    layer: Operation = found
    return layer


def pull(layer: Operation, X: Tensor, G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The gradients at a layer's input X, and by the parameters in it, for G at its output."""
    learned = [variable.value for variable in getattr(layer, "trainable_variables", ())]
    with tf.GradientTape() as tape:
        tape.watch(X)
        Y = layer(X)
    none = tf.UnconnectedGradients.ZERO
    dX, *found = tape.gradient(Y, [X, *learned], G, unconnected_gradients=none)
    return dX, found


def loss_gradients(
    net: LeNet, X: Tensor, labels: Any
) -> tuple[float, FloatArray, dict[str, FloatArray]]:
    """The mean cross-entropy, what it was computed of, and its gradients by the parameters."""
    loss, logits, found = scratch.gradients(net, _loss_of(net), X, labels)
    return loss, to_numpy(logits), _named(net, found)


def step(net: LeNet, X: Tensor, labels: Any, lr: float) -> tuple[float, FloatArray]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    loss, logits = scratch.train_step(net, _loss_of(net), X, labels, tensor(lr))
    return loss, to_numpy(logits)


def _loss_of(net: LeNet) -> scratch.Loss:
    if net.made.is_builtin:
        return _builtin_loss
    return partial(network.cross_entropy, load("tf"))


def _builtin_loss(logits: Tensor, labels: Any) -> Tensor:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def _named(net: LeNet, values: list[Tensor]) -> dict[str, FloatArray]:
    """Parameters or their gradients by name, as the description has them."""
    found = {}
    for name, value in zip(net.made.shapes, map(to_numpy, values), strict=True):
        if net.made.is_builtin:  # Keras has kernels (kh, kw, c, o) and weights (i, o)
            value = value.transpose({1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[value.ndim]).copy()
        found[name] = value
    return found
