"""The layers in NumPy, which are d2lconv's, described, made and called."""

from typing import Any

import numpy as np

from d2lconv.errors import ArgumentError
from d2lconv.parity.describe import Description, images, of_convolution, of_pooling
from d2lconv_numpy.layers import Conv2D, Pool2D
from d2lconv_numpy.networks import Dense

KNOWN = "d2lconv's Conv2D, Pool2D, Dense"


def describe(layer: Any, parameters: Any = None) -> Description | None:
    """What a layer computes."""
    if isinstance(layer, Conv2D):
        return of_convolution("numpy", layer.made.options, layer.weight, layer.bias)
    if isinstance(layer, Pool2D):
        return of_pooling("numpy", layer.made)
    if isinstance(layer, Dense):
        return Description("dense", "numpy", weight=layer.weight, bias=layer.bias)
    return None


def build(description: Description) -> Any:
    """d2lconv's layer for a description."""
    d = description
    if d.kind == "convolution":
        o, per_group, *_ = d.weight.shape
        return Conv2D(
            d.size, in_channels=per_group * d.groups, out_channels=o, stride=d.stride,
            padding=d.padding, dilation=d.dilation, groups=d.groups, weight=d.weight,
            bias=False if d.bias is None else d.bias,
        )  # fmt: skip
    if d.kind == "dense":
        if d.bias is None:
            raise ArgumentError("a dense layer of d2lconv has a bias: describe one of zeros.")
        return Dense(d.weight, d.bias)
    if d.ceil:
        raise ArgumentError("pooling in d2lconv rounds the output's size down, and ceil is asked.")
    mode = "max" if d.kind == "max pooling" else "avg"
    return Pool2D(
        d.size, mode=mode, stride=d.stride, padding=d.padding, count_include_pad=d.counted
    )


def call(layer: Any, X: Any, parameters: Any = None) -> Any:
    """The results for images (n, c, h, w)."""
    single = isinstance(layer, Conv2D) and layer.weight.ndim == 2
    return images(lambda X: np.asarray(layer(X)), X, single)
