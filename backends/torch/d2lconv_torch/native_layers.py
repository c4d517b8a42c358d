"""PyTorch's own layers, described, made and called."""

from typing import Any

import numpy as np
import torch
from torch import nn

from d2lconv.core.data import FLOATS
from d2lconv.core.options import Pair, Sides
from d2lconv.errors import ArgumentError, DTypeError
from d2lconv.parity.describe import (
    Description,
    behind,
    images,
    of_convolution,
    of_pooling,
)
from d2lconv_torch.layers import Conv2D, Pool2D
from d2lconv_torch.tensors import dtype_name, without_autocast

KNOWN = (
    "Conv2d, Linear, MaxPool2d, AvgPool2d, each also in a Sequential behind a ConstantPad2d, and "
    "d2lconv's Conv2D, Pool2D, Dense"
)


def describe(layer: Any, parameters: Any = None) -> Description | None:
    """What a layer computes."""
    if isinstance(layer, nn.Sequential) and len(layer) == 2:
        before, after = layer
        found = describe(after)
        if isinstance(before, nn.ConstantPad2d) and found is not None:
            left, right, top, bottom = before.padding
            return behind(((top, bottom), (left, right)), before.value, found)
        return None
    if isinstance(layer, Pool2D):
        return of_pooling("torch", layer.made)
    if isinstance(layer, Conv2D | nn.Conv2d | nn.Linear):
        weight, bias = _numbers(layer.weight), _numbers(layer.bias)
        if isinstance(layer, nn.Linear):
            return Description("dense", "torch", weight=weight, bias=bias)
        if isinstance(layer, Conv2D):
            return of_convolution("torch", layer.made.options, weight, bias)
        if layer.padding_mode != "zeros":
            raise ArgumentError(
                f"padding_mode is {layer.padding_mode!r}; only zeros are described."
            )
        return Description(
            "convolution", "torch", "NCHW", weight, bias, _pair(layer.kernel_size),
            _pair(layer.stride), _padding(layer.padding), _pair(layer.dilation), layer.groups,
        )  # fmt: skip
    if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
        is_max = isinstance(layer, nn.MaxPool2d)
        if is_max and layer.return_indices:
            raise ArgumentError("return_indices is given; pooling is described without it.")
        if is_max and _pair(layer.dilation) != (1, 1):
            raise ArgumentError(f"dilation is {layer.dilation}; pooling is described without it.")
        if not is_max and layer.divisor_override is not None:
            raise ArgumentError("divisor_override is given; pooling is described without it.")
        return Description(
            "max pooling" if is_max else "mean pooling",
            "torch",
            size=_pair(layer.kernel_size),
            stride=_pair(layer.stride),
            padding=_padding(layer.padding),
            counted=not is_max and bool(layer.count_include_pad),
            ceil=bool(layer.ceil_mode),
        )
    return None


def build(description: Description) -> nn.Module:
    """PyTorch's own layer for a description."""
    d = description
    if d.kind == "dense":
        o, c = d.weight.shape
        return _filled(nn.Linear(c, o, bias=d.bias is not None, device="cpu"), d)
    if d.padding == "same" and (d.stride != (1, 1) or d.kind != "convolution"):
        raise ArgumentError(
            "padding is 'same', which PyTorch has for convolutions without a stride alone: it "
            "depends on the size of the images. Give a description with numbers: "
            "description.on((h, w))."
        )
    sides: Any = ((0, 0), (0, 0)) if d.padding == "same" else d.padding
    (top, bottom), (left, right) = sides
    own = top == bottom and left == right
    if d.kind != "convolution":
        own = own and 2 * top <= d.size[0] and 2 * left <= d.size[1]
        if not own and (d.ceil or not (d.counted or d.kind == "max pooling")):
            raise ArgumentError(
                f"padding is {d.padding}, ceil {d.ceil} and counted {d.counted}; PyTorch's pooling "
                "has the same padding on both sides, of half a window at most, and what pads "
                "before it leaves the output's size rounded down and the padding counted."
            )
    padding: Any = (top, left) if own else 0
    around = left, right, top, bottom
    before: nn.Module = nn.ZeroPad2d(around)
    layer: nn.Module
    if d.kind == "convolution":
        o, per_group, *size = d.weight.shape
        layer = nn.Conv2d(
            per_group * d.groups, o, (size[0], size[1]), d.stride,
            "same" if d.padding == "same" else padding, d.dilation, d.groups,
            bias=d.bias is not None, device="cpu",
        )  # fmt: skip
        layer = _filled(layer, d)
    elif d.kind == "max pooling":
        layer = nn.MaxPool2d(d.size, d.stride, padding, ceil_mode=d.ceil)
        before = nn.ConstantPad2d(around, -np.inf)
    else:
        layer = nn.AvgPool2d(d.size, d.stride, padding, d.ceil, d.counted)
    return layer if own else nn.Sequential(before, layer)


def call(layer: Any, X: Any, parameters: Any = None) -> Any:
    """The results for images (n, c, h, w)."""
    single = isinstance(layer, Conv2D) and layer.weight.ndim == 2

    def run(X: Any) -> Any:
        image = torch.from_numpy(np.ascontiguousarray(X))
        for parameter in layer.parameters():
            if parameter.dtype != image.dtype and not isinstance(layer, Conv2D):
                raise DTypeError(
                    f"X holds {dtype_name(image)}, and the layer {dtype_name(parameter)}; PyTorch "
                    "computes with one type alone. Convert one of them."
                )
        with torch.no_grad(), without_autocast(image):
            return layer(image).numpy()

    return images(run, X, single)


def _filled(layer: Any, d: Description) -> nn.Module:
    with torch.no_grad():
        layer.to(torch.from_numpy(d.weight).dtype)
        layer.weight.copy_(torch.from_numpy(d.weight.copy()))
        if d.bias is not None:
            layer.bias.copy_(torch.from_numpy(d.bias.copy()))
    filled: nn.Module = layer
    return filled


def _numbers(parameter: Any) -> Any:
    if parameter is None:
        return None
    if isinstance(parameter, nn.UninitializedParameter):
        raise ArgumentError("the layer has no weights yet: it is lazy. Call it once first.")
    if parameter.is_meta:
        raise ArgumentError("the layer is on the device 'meta', which holds no numbers: move it.")
    if dtype_name(parameter) not in FLOATS:
        raise DTypeError(
            f"the layer holds {dtype_name(parameter)}; described are {', '.join(FLOATS)}. Convert "
            "it: layer.float()."
        )
    return parameter.detach().cpu().numpy()


def _pair(value: Any) -> Pair:
    down, right = (value, value) if isinstance(value, int) else value
    return int(down), int(right)


def _padding(padding: Any) -> Sides | str:
    if padding == "same":
        return "same"
    down, right = _pair(0 if padding == "valid" else padding)
    return (down, down), (right, right)
