"""PyTorch's own layers as they are if nobody says otherwise: what d2lconv.parity.conventions asks.

Arrays are NumPy's, in the layout that the layers take. Options have PyTorch's names.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

LAYERS = "torch.nn"


def convolution(X: Any, outputs: int, size: Any, kernel: Any = None, **options: Any) -> Any:
    """A layer made for X: its result, its kernel, and its bias or None.

    ``kernel``, if given, replaces the initial values, and the bias is then 0.
    """
    layer: Any = nn.LazyConv2d(outputs, size, **options)
    with torch.no_grad():
        layer.initialize_parameters(torch.from_numpy(X))
        if kernel is not None:
            layer.weight.copy_(torch.from_numpy(np.broadcast_to(kernel, layer.weight.shape).copy()))
            if layer.bias is not None:
                layer.bias.zero_()
        Y = layer(torch.from_numpy(X)).numpy()
    bias = None if layer.bias is None else layer.bias.detach().numpy()
    return Y, layer.weight.detach().numpy(), bias


def max_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The maximum of each window."""
    return nn.MaxPool2d(size, **options)(torch.from_numpy(X)).numpy()


def mean_pooling(X: Any, size: Any, **options: Any) -> Any:
    """The mean of each window."""
    return nn.AvgPool2d(size, **options)(torch.from_numpy(X)).numpy()


def flatten(X: Any) -> Any:
    """What a dense layer gets of images."""
    return nn.Flatten()(torch.from_numpy(X)).numpy()
