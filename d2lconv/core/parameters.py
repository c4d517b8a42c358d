"""What a convolutional layer is made of, checked: its options and the values it starts from."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from d2lconv.core import checks
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.options import Options, settings, steps
from d2lconv.errors import ArgumentError, ShapeError

METHODS = ("exact", "rounded", "loop", "matmul", "native", "auto")
MODES = ("max", "avg")
POOL_METHODS = ("exact", "rounded")


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolutional layer, the same in every framework.

    Attributes:
        kernel_size: Height and width of the kernels.
        in_channels: The channels of the images; None for a layer on one channel, (h, w).
        out_channels: The outputs; None for a layer on one channel.
        options: Stride, padding, dilation and groups.
        method: How it computes.
        weight: The initial kernels, (kh, kw) or (o, c/groups, kh, kw).
        bias: The initial bias, (1,) or (o,), of the kernels' type; None if there is none.
    """

    kernel_size: tuple[int, int]
    in_channels: int | None
    out_channels: int | None
    options: Options
    method: str
    weight: FloatArray
    bias: FloatArray | None

    def __str__(self) -> str:
        """The arguments that make such a layer, but for the values."""
        parts = [f"kernel_size={self.kernel_size}"]
        if self.in_channels is not None:
            parts += [f"in_channels={self.in_channels}", f"out_channels={self.out_channels}"]
        given = zip(Options._fields, self.options, Options(), strict=True)
        parts += [f"{name}={value!r}" for name, value, usual in given if value != usual]
        parts.append(f"bias={self.bias is not None}")
        if self.method != "exact":
            parts.append(f"method={self.method!r}")
        return ", ".join(parts)


def convolution(
    kernel_size: Any,
    *,
    in_channels: Any = None,
    out_channels: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
    weight: Any = None,
    bias: Any = None,
    seed: Any = 0,
    method: str = "exact",
    name: str = "weight",
) -> Convolution:
    """A convolutional layer from the arguments of :func:`d2lconv.Conv2D`.

    Args:
        kernel_size, in_channels, out_channels, stride, padding, dilation, groups: As there.
        weight: The initial kernels. None draws them: uniformly from [0, 1) for one channel, and
            with channels from Xavier's uniform distribution, between plus and minus
            sqrt(6 / (fan_in + fan_out)).
        bias: The initial bias; None starts at 0, False leaves the bias out.
        seed: The seed of the NumPy generator that draws the kernels.
        method: One of ``METHODS``.
        name: What the initial kernel is called in messages.

    Source:
        Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
        networks" (2010), equation 16.
    """
    size = checks.kernel_size(kernel_size)
    options = settings(stride, padding, dilation, groups)
    shape: tuple[int, ...] = size
    if in_channels is not None or out_channels is not None:
        if in_channels is None or out_channels is None:
            raise ArgumentError(
                f"in_channels is {in_channels!r} and out_channels is {out_channels!r}; give both, "
                "or neither for a layer on one channel."
            )
        in_channels = checks.whole_number("in_channels", in_channels, least=1)
        out_channels = checks.whole_number("out_channels", out_channels, least=1)
        per_group = in_channels // options.groups
        checks.channels(in_channels, out_channels, per_group, options.groups)
        shape = (out_channels, per_group, *size)
    elif options.groups != 1:
        raise ArgumentError(
            f"groups is {groups}, and the layer has one channel; give in_channels and out_channels."
        )
    generator = np.random.default_rng(checks.whole_number("seed", seed, least=0))
    values = _drawn(generator, shape) if weight is None else detached(weight, name)
    if values.shape != shape:
        of = "kernel_size" if len(shape) == 2 else "(out_channels, in_channels/groups, kh, kw)"
        raise ShapeError(
            f"{name} has the shape {values.shape}, {of} is {shape}; they must be the same."
        )
    checks.choice("method", method, METHODS)
    return Convolution(
        size,
        in_channels,
        out_channels,
        options,
        method,
        values,
        _bias(bias, out_channels or 1, values.dtype),
    )


def _drawn(generator: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """The kernels that a layer starts from if none are given."""
    if len(shape) == 2:
        return generator.random(shape, dtype=np.float32)
    outputs, channels, kh, kw = shape
    bound = sqrt(6 / ((outputs + channels) * kh * kw))
    return generator.uniform(-bound, bound, shape).astype(np.float32)


def _bias(bias: Any, outputs: int, dtype: Any) -> FloatArray | None:
    if bias is False:
        return None
    values = detached(0.0 if bias is None else bias, "bias")
    if values.size == 1:
        values = np.full(outputs, values.reshape(()))
    if values.size != outputs or values.ndim > 1:
        allowed = "one number" if outputs == 1 else f"one number, or of the shape ({outputs},)"
        raise ShapeError(f"bias has the shape {values.shape}; it must be {allowed}.")
    return values.astype(dtype)


def pooling(
    size: Any,
    mode: str,
    stride: Any,
    padding: Any,
    count_include_pad: bool,
    method: str = "exact",
) -> dict[str, Any]:
    """The options of a pooling layer, checked, as arguments of ``pool2d``.

    Args:
        size, mode, padding, count_include_pad, method: As in :func:`d2lconv.Pool2D`.
        stride: The same; None is the window's size.
    """
    window = steps("size", size, ShapeError)
    checks.choice("mode", mode, MODES)
    checks.choice("method", method, POOL_METHODS)
    chosen, sides, _, _ = settings(window if stride is None else stride, padding)
    check_counted(mode, count_include_pad)
    options = {"size": window, "mode": mode, "stride": chosen, "padding": sides}
    if mode == "avg":
        options["count_include_pad"] = count_include_pad
    return options if method == "exact" else {**options, "method": method}


def check_counted(mode: str, count_include_pad: Any) -> None:
    """Check that padding is counted only where something is divided by the count."""
    if count_include_pad and mode != "avg":
        raise ArgumentError(
            f"count_include_pad is {count_include_pad!r} with mode={mode!r}; it says what a mean "
            "is divided by, so it goes with mode='avg' alone."
        )
