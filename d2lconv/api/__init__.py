"""The neutral API: each function chooses the backend that serves the call, and passes it on.

Everything here is also in the API bound to one backend, ``from d2lconv import torch as d2l``.
"""

from d2lconv.api.convolution import conv2d, corr2d, explain
from d2lconv.api.layers import Conv2D, Pool2D, learn_kernel
from d2lconv.api.network import cross_entropy, dense, pool2d, relu, sigmoid, tanh
from d2lconv.api.pictures import diagonal_image, edge_image, load_image, photograph, photographs
from d2lconv.api.tensors import im2col, tensor, to_numpy, toeplitz, transpose

__all__ = [
    "Conv2D",
    "Pool2D",
    "conv2d",
    "corr2d",
    "cross_entropy",
    "dense",
    "diagonal_image",
    "edge_image",
    "explain",
    "im2col",
    "learn_kernel",
    "load_image",
    "photograph",
    "photographs",
    "pool2d",
    "relu",
    "sigmoid",
    "tanh",
    "tensor",
    "to_numpy",
    "toeplitz",
    "transpose",
]
