"""Flax's own layers, described, made and called."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from d2lconv.core.options import sides
from d2lconv.errors import ArgumentError
from d2lconv.parity.describe import Description, images, of_convolution, of_pooling
from d2lconv_jax.layers import Conv2D, Pool2D
from d2lconv_jax.networks import Dense

KNOWN = (
    "Conv, Dense (with their parameters), functools.partial of max_pool and avg_pool (with their "
    "options), and d2lconv's Conv2D, Pool2D, Dense"
)


def describe(layer: Any, parameters: Any = None) -> Description | None:
    """What a layer computes."""
    if isinstance(layer, Pool2D):
        return of_pooling("jax", vars(layer))
    if isinstance(layer, Conv2D | Dense):
        held = _own(layer, parameters)
        weight = np.asarray(held["weight"])
        bias = np.asarray(held["bias"]) if "bias" in held else None
        if isinstance(layer, Dense):
            return Description("dense", "jax", weight=weight, bias=bias)
        options = layer.stride, layer.padding, layer.dilation, layer.groups
        return of_convolution("jax", options, weight, bias)
    if isinstance(layer, partial):
        return _pooling(layer)
    if not isinstance(layer, nn.Conv | nn.Dense):
        return None
    if parameters is None:
        raise ArgumentError("a Flax layer has no weights of its own: give its parameters, too.")
    given = _given(parameters, ("kernel", "bias") if layer.use_bias else ("kernel",))
    kernel = np.asarray(given["kernel"])
    bias = np.asarray(given["bias"]) if layer.use_bias else None
    if isinstance(layer, nn.Dense):
        return Description("dense", "jax", "NHWC", kernel.T, bias)
    if kernel.ndim != 4:
        raise ArgumentError(f"the kernel has the shape {kernel.shape}; it must have four axes.")
    if _pair(layer.input_dilation) != (1, 1):
        raise ArgumentError("input_dilation is given; convolutions are described without it.")
    if layer.mask is not None:
        raise ArgumentError("mask is given; convolutions are described without it.")
    return Description(
        "convolution", "jax", "NHWC", kernel.transpose(3, 2, 0, 1), bias,
        (kernel.shape[0], kernel.shape[1]), _pair(layer.strides), _padding(layer.padding),
        _pair(layer.kernel_dilation), layer.feature_group_count,
    )  # fmt: skip


def build(description: Description) -> Any:
    """Flax's own layer for a description, and its parameters; of pooling the function."""
    d = description
    padding = "SAME" if d.padding == "same" else d.padding
    if d.ceil:
        raise ArgumentError("pooling in Flax rounds the output's size down, and ceil is asked.")
    if d.kind == "max pooling":
        return partial(nn.max_pool, window_shape=d.size, strides=d.stride, padding=padding)
    if d.kind == "mean pooling":
        return partial(
            nn.avg_pool, window_shape=d.size, strides=d.stride, padding=padding,
            count_include_pad=d.counted,
        )  # fmt: skip
    bias = {} if d.bias is None else {"bias": jnp.asarray(d.bias)}
    if d.kind == "dense":
        dense = nn.Dense(len(d.weight), use_bias=d.bias is not None)
        return dense, {"params": {"kernel": jnp.asarray(d.weight.T), **bias}}
    layer = nn.Conv(
        len(d.weight), d.size, d.stride, padding,
        kernel_dilation=d.dilation, feature_group_count=d.groups, use_bias=d.bias is not None,
    )  # fmt: skip
    return layer, {"params": {"kernel": jnp.asarray(d.weight.transpose(2, 3, 1, 0)), **bias}}


def call(layer: Any, X: Any, parameters: Any = None) -> Any:
    """The results for images (n, c, h, w)."""
    if isinstance(layer, Conv2D | Pool2D | Dense):
        held = {} if isinstance(layer, Pool2D) else _own(layer, parameters)
        single = isinstance(layer, Conv2D) and held["weight"].ndim == 2
        return images(
            lambda X: np.asarray(layer.apply({"params": held}, jnp.asarray(X))), X, single
        )
    if not isinstance(layer, partial):
        held = parameters if "params" in parameters else {"params": parameters}
        layer = partial(layer.apply, held)
    if X.ndim != 4:
        return np.asarray(layer(X))
    return np.asarray(layer(jnp.asarray(X.transpose(0, 2, 3, 1)))).transpose(0, 3, 1, 2)


def _pooling(function: Any) -> Description | None:
    """What pooling with its options computes."""
    options = function.keywords
    if function.func not in (nn.max_pool, nn.avg_pool):
        return None
    if function.args or "window_shape" not in options:
        raise ArgumentError(
            f"{function.func.__name__} has the options {', '.join(options) or 'none'} by name; "
            "window_shape is needed, and the images are not."
        )
    is_max = function.func is nn.max_pool
    return Description(
        "max pooling" if is_max else "mean pooling",
        "jax",
        "NHWC",
        size=_pair(options["window_shape"]),
        stride=_pair(options.get("strides")),
        padding=_padding(options.get("padding", "VALID")),
        counted=not is_max and options.get("count_include_pad", True),
    )


def _padding(padding: Any) -> Any:
    if not isinstance(padding, str):
        return sides(padding)
    if padding not in ("SAME", "VALID"):
        raise ArgumentError(f"padding is {padding!r}; SAME, VALID and numbers are described.")
    return "same" if padding == "SAME" else ((0, 0), (0, 0))


def _own(layer: Any, parameters: Any) -> Any:
    """The parameters of a layer of d2lconv: those given, or those that it starts from."""
    names = ("weight", "bias") if layer.bias else ("weight",)
    if parameters is not None:
        return _given(parameters, names)
    return {name: getattr(layer, name)(None) for name in names}


def _given(parameters: Any, names: tuple[str, ...]) -> Any:
    """The parameters of a layer, of which none may be missing or left over."""
    given = parameters.get("params", parameters) if isinstance(parameters, Mapping) else parameters
    if not isinstance(given, Mapping) or set(given) != set(names):
        held = ", ".join(map(str, given)) if isinstance(given, Mapping) else repr(given)[:80]
        raise ArgumentError(f"parameters hold {held}; a layer's own hold {' and '.join(names)}.")
    return given


def _pair(value: Any) -> Any:
    if value is None:
        return 1, 1
    return (value, value) if isinstance(value, int) else tuple(value)
