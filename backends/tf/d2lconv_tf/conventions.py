"""Keras' own layers as they are if nobody says otherwise: what d2lconv.parity.conventions asks.

Arrays are NumPy's, in the layout that the layers take. Options have Keras' names.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

LAYERS = "keras.layers"


def convolution(X: Any, outputs: int, size: Any, kernel: Any = None, **options: Any) -> Any:
    """A layer made for X: its result, its kernel, and its bias or None.

    ``kernel``, if given, replaces the initial values, and the bias is then 0.
    """
    layer = keras.layers.Conv2D(outputs, size, **options)
    layer.build(X.shape)
    if kernel is not None:
        layer.kernel.assign(np.broadcast_to(kernel, layer.kernel.shape))
        if layer.use_bias:
            layer.bias.assign(np.zeros(outputs))
    Y = layer(tf.convert_to_tensor(X)).numpy()
    return Y, np.asarray(layer.kernel), np.asarray(layer.bias) if layer.use_bias else None


def max_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The maximum of each window."""
    return keras.layers.MaxPooling2D(size, **options)(tf.convert_to_tensor(X)).numpy()


def mean_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The mean of each window."""
    return keras.layers.AveragePooling2D(size, **options)(tf.convert_to_tensor(X)).numpy()


def flatten(X: Any) -> Any:
    """What a dense layer gets of images."""
    return keras.layers.Flatten()(tf.convert_to_tensor(X)).numpy()
