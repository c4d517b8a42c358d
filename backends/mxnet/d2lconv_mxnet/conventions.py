"""Gluon's own layers as they are if nobody says otherwise: what d2lconv.parity.conventions asks.

Arrays are NumPy's, in the layout that the layers take. Options have Gluon's names.
"""

from typing import Any

from d2lconv_mxnet.tensors import to_numpy

from mxnet import np  # isort: skip
from mxnet.gluon import nn  # isort: skip

LAYERS = "gluon.nn"


def convolution(X: Any, outputs: int, size: Any, kernel: Any = None, **options: Any) -> Any:
    """A layer made for X: its result, its kernel, and its bias or None.

    ``kernel``, if given, replaces the initial values, and the bias is then 0.
    """
    layer, given = nn.Conv2D(outputs, size, **options), np.array(X, dtype=X.dtype)
    layer.initialize()
    Y = layer(given)  # which makes the parameters
    if kernel is not None:
        shape = layer.weight.shape
        layer.weight.set_data(np.broadcast_to(np.array(kernel, dtype="float32"), shape))
        if layer.bias is not None:
            layer.bias.set_data(np.zeros(layer.bias.shape))
        Y = layer(given)
    bias = None if layer.bias is None else to_numpy(layer.bias.data())
    return to_numpy(Y), to_numpy(layer.weight.data()), bias


def max_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The maximum of each window."""
    return to_numpy(nn.MaxPool2D(size, **options)(np.array(X, dtype=X.dtype)))


def mean_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The mean of each window."""
    return to_numpy(nn.AvgPool2D(size, **options)(np.array(X, dtype=X.dtype)))


def flatten(X: Any) -> Any:
    """What a dense layer gets of images."""
    return to_numpy(nn.Flatten()(np.array(X, dtype=X.dtype)))
