"""Gluon's own layers, described, made and called."""

from ast import literal_eval
from typing import Any

from d2lconv.core.options import Pair, Sides
from d2lconv.errors import ArgumentError
from d2lconv.parity.describe import Description, images, of_convolution, of_pooling
from d2lconv_mxnet.layers import Conv2D, Pool2D
from d2lconv_mxnet.networks import Dense
from d2lconv_mxnet.tensors import tensor, to_numpy

from mxnet import autograd, sym, util  # isort: skip
from mxnet.gluon import nn, parameter  # isort: skip

KNOWN = "Conv2D, Dense, MaxPool2D, AvgPool2D, and d2lconv's Conv2D, Pool2D, Dense"


@util.use_np  # type: ignore[untyped-decorator]
def describe(layer: Any, parameters: Any = None) -> Description | None:
    """What a layer computes."""
    if isinstance(layer, Conv2D):
        weight, bias = _numbers(layer.weight), _numbers(layer.bias)
        return of_convolution("mxnet", layer.made.options, weight, bias)
    if isinstance(layer, Pool2D):
        return of_pooling("mxnet", layer.made)
    if isinstance(layer, nn.Dense | Dense):
        if getattr(layer, "act", None) is not None:
            raise ArgumentError("the layer has an activation; describe one without it.")
        weight, bias = _numbers(layer.weight), _numbers(layer.bias)
        return Description("dense", "mxnet", weight=weight, bias=bias)
    if not isinstance(layer, nn.Conv2D | nn.MaxPool2D | nn.AvgPool2D):
        return None
    options = _options(layer)
    if options["layout"] != "NCHW":
        raise ArgumentError(f"layout is {options['layout']!r}; layers with NCHW are described.")
    size, stride, pad = (_pair(options[name]) for name in ("kernel", "stride", "pad"))
    padding: Sides = (pad[0], pad[0]), (pad[1], pad[1])
    if isinstance(layer, nn.Conv2D):
        if layer.act is not None:
            raise ArgumentError("the layer has an activation; describe one without it.")
        return Description(
            "convolution", "mxnet", "NCHW", _numbers(layer.weight), _numbers(layer.bias), size,
            stride, padding, _pair(options["dilate"]), int(options["num_group"]),
        )  # fmt: skip
    return Description(
        "max pooling" if isinstance(layer, nn.MaxPool2D) else "mean pooling",
        "mxnet",
        size=size,
        stride=stride,
        padding=padding,
        counted=options.get("count_include_pad") == "True",
        ceil=options["pooling_convention"] == "full",
    )


@util.use_np  # type: ignore[untyped-decorator]
def build(description: Description) -> Any:
    """Gluon's own layer for a description."""
    d = description
    if d.kind == "dense":
        o, c = d.weight.shape
        dense = nn.Dense(o, use_bias=d.bias is not None, in_units=c, dtype=d.weight.dtype.name)
        return _filled(dense, d)
    if d.padding == "same":
        raise ArgumentError(
            "padding is 'same', which MXNet does not have: it depends on the size of the images. "
            "Give a description with numbers: description.on((h, w))."
        )
    sides: Any = d.padding
    if any(before != after for before, after in sides):
        raise ArgumentError(
            f"padding is {d.padding}; MXNet's layers have the same padding on both sides."
        )
    padding = sides[0][0], sides[1][0]
    if d.kind == "convolution":
        o, per_group, *_ = d.weight.shape
        layer = nn.Conv2D(
            o, d.size, d.stride, padding, d.dilation, d.groups, use_bias=d.bias is not None,
            in_channels=per_group * d.groups,
        )  # fmt: skip
        layer.cast(d.weight.dtype.name)
        return _filled(layer, d)
    if d.kind == "max pooling":
        return nn.MaxPool2D(d.size, d.stride, padding, ceil_mode=d.ceil)
    return nn.AvgPool2D(d.size, d.stride, padding, ceil_mode=d.ceil, count_include_pad=d.counted)


@util.use_np  # type: ignore[untyped-decorator]
def call(layer: Any, X: Any, parameters: Any = None) -> Any:
    """The results for images (n, c, h, w)."""
    single = isinstance(layer, Conv2D) and len(layer.weight.shape) == 2
    return images(lambda X: to_numpy(layer(tensor(X))), X, single)


def _options(layer: Any) -> dict[str, str]:
    """A layer's options, which Gluon keeps to itself: its symbol tells them."""
    symbol = layer(sym.var("data").as_np_ndarray())
    for found in symbol.attr_dict().values():
        if "kernel" in found:
            return dict(found)
    raise ArgumentError(f"MXNet tells no options of {layer}.")


def _filled(layer: Any, d: Description) -> Any:
    layer.initialize()
    with autograd.pause():  # what a caller records is not this
        layer.weight.set_data(tensor(d.weight))
        if d.bias is not None:
            layer.bias.set_data(tensor(d.bias))
    return layer


def _numbers(held: Any) -> Any:
    if held is None:
        return None
    try:
        return to_numpy(held.data())
    except (parameter.DeferredInitializationError, RuntimeError) as error:
        raise ArgumentError(
            "the layer has no weights yet. Initialize it, and call it once."
        ) from error


def _pair(text: str) -> Pair:
    down, right = literal_eval(text)
    return int(down), int(right)
