"""Keras' own layers, described, made and called."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from d2lconv.errors import ArgumentError
from d2lconv.parity.describe import (
    Description,
    behind,
    images,
    of_convolution,
    of_pooling,
)
from d2lconv_tf.layers import Conv2D, Pool2D
from d2lconv_tf.networks import Dense

KNOWN = (
    "Conv2D, DepthwiseConv2D, Dense, MaxPooling2D, AveragePooling2D, each also in a Sequential "
    "behind a ZeroPadding2D, and d2lconv's Conv2D, Pool2D, Dense"
)

# Whatever Keras's own settings are: the layout, and that nothing is cast.
LAST: dict[str, Any] = {"data_format": "channels_last", "autocast": False}


def describe(layer: Any, parameters: Any = None) -> Description | None:
    """What a layer computes."""
    layers = keras.layers
    if isinstance(layer, keras.Sequential) and len(layer.layers) == 2:
        before, after = layer.layers
        found = describe(after)
        if isinstance(before, layers.ZeroPadding2D) and found is not None:
            return behind(before.padding, 0.0, found)
        return None
    if isinstance(layer, Conv2D | Dense):
        weight = np.asarray(layer.weight)
        bias = None if layer.bias is None else np.asarray(layer.bias)
        if isinstance(layer, Dense):
            return Description("dense", "tf", weight=weight, bias=bias)
        return of_convolution("tf", layer.made.options, weight, bias)
    if isinstance(layer, Pool2D):
        return of_pooling("tf", layer.made)
    if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
        if keras.activations.serialize(layer.activation) != "linear":
            raise ArgumentError("the layer has an activation; describe one without it.")
        if not layer.built:
            raise ArgumentError("the layer has no weights yet. Call it once, or build it.")
        kernel = np.asarray(layer.kernel)
        bias = np.asarray(layer.bias) if layer.use_bias else None
        if isinstance(layer, layers.Dense):
            return Description("dense", "tf", "NHWC", kernel.T, bias)
        if isinstance(layer, layers.DepthwiseConv2D):
            kh, kw, groups, m = kernel.shape
            weight = kernel.transpose(2, 3, 0, 1).reshape(groups * m, 1, kh, kw)
        else:
            weight, groups = kernel.transpose(3, 2, 0, 1), layer.groups
        return Description(
            "convolution", "tf", _layout(layer), weight, bias,
            tuple(layer.kernel_size), tuple(layer.strides), _padding(layer),
            tuple(layer.dilation_rate), groups,
        )  # fmt: skip
    if isinstance(layer, layers.MaxPooling2D | layers.AveragePooling2D):
        is_max = isinstance(layer, layers.MaxPooling2D)
        return Description(
            "max pooling" if is_max else "mean pooling",
            "tf",
            _layout(layer),
            size=tuple(layer.pool_size),
            stride=tuple(layer.strides),
            padding=_padding(layer),
        )
    return None


def build(description: Description) -> Any:
    """Keras' own layer for a description, with channels last."""
    d, layers = description, keras.layers
    if d.kind == "dense":
        dense = layers.Dense(len(d.weight), use_bias=d.bias is not None, dtype=d.weight.dtype.name)
        dense.build((None, d.weight.shape[1]))
        dense.set_weights([t for t in (d.weight.T, d.bias) if t is not None])
        return dense
    padding = "same" if d.padding == "same" else "valid"
    sides: Any = ((0, 0), (0, 0)) if d.padding == "same" else d.padding
    pads = any(map(any, sides))
    if d.kind == "convolution":
        if max(d.stride) > 1 and max(d.dilation) > 1:
            raise ArgumentError(
                f"stride is {d.stride} and dilation {d.dilation}; Keras has one of them alone."
            )
        layer = layers.Conv2D(
            len(d.weight), d.size, d.stride, padding, "channels_last", d.dilation, d.groups,
            use_bias=d.bias is not None, dtype=d.weight.dtype.name,
        )  # fmt: skip
        layer.build((None, None, None, d.weight.shape[1] * d.groups))
        kernel = d.weight.transpose(2, 3, 1, 0)
        layer.set_weights([t for t in (kernel, d.bias) if t is not None])
        return keras.Sequential([layers.ZeroPadding2D(sides, **LAST), layer]) if pads else layer
    if pads or d.ceil:
        raise ArgumentError(
            f"padding is {d.padding} and ceil {d.ceil}; pooling in Keras has 'same' and 'valid'."
        )
    if d.kind == "max pooling":
        return layers.MaxPooling2D(d.size, d.stride, padding, **LAST)
    if padding == "same" and d.counted:
        raise ArgumentError("a mean in Keras does not count its padding.")
    return layers.AveragePooling2D(d.size, d.stride, padding, **LAST)


def call(layer: Any, X: Any, parameters: Any = None) -> Any:
    """The results for images (n, c, h, w)."""
    if isinstance(layer, Conv2D | Pool2D):
        single = isinstance(layer, Conv2D) and len(layer.weight.shape) == 2
        return images(lambda X: np.asarray(layer(tf.convert_to_tensor(X))), X, single)
    if X.ndim != 4 or getattr(layer, "data_format", "channels_last") == "channels_first":
        return np.asarray(layer(X))
    return np.asarray(layer(np.ascontiguousarray(X.transpose(0, 2, 3, 1)))).transpose(0, 3, 1, 2)


def _layout(layer: Any) -> str:
    return "NHWC" if layer.data_format == "channels_last" else "NCHW"


def _padding(layer: Any) -> Any:
    return "same" if layer.padding == "same" else ((0, 0), (0, 0))
