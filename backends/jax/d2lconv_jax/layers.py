"""The layers in JAX: Flax modules."""

import inspect
from dataclasses import field
from typing import Any

import jax
from flax import linen as nn
from jax import Array as Tensor

from d2lconv.core import operations
from d2lconv.core.contract import FloatArray
from d2lconv.core.parameters import convolution, pooling
from d2lconv.core.registry import load
from d2lconv_jax.tensors import tensor


class Conv2D(nn.Module):
    """A cross-correlation plus a bias, on an image (h, w) or, with channels, on (n, c, h, w).

    As with every Flax module, ``init`` gives the parameters and ``apply`` takes them. Called
    without, the layer answers with its initial parameters.

    The arguments are those of :func:`d2lconv.Conv2D`.
    """

    kernel_size: tuple[int, int]
    in_channels: int | None = field(default=None, kw_only=True)
    out_channels: int | None = field(default=None, kw_only=True)
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    groups: int = field(default=1, kw_only=True)
    weight: Any = field(default=None, kw_only=True)
    bias: Any = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)
    method: str = field(default="exact", kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.weight, _Values):  # it is one in a copy that Flax makes
            made = convolution(
                self.kernel_size,
                in_channels=self.in_channels,
                out_channels=self.out_channels,
                stride=self.stride,
                padding=self.padding,
                dilation=self.dilation,
                groups=self.groups,
                weight=self.weight,
                bias=self.bias,
                seed=self.seed,
                method=self.method,
            )
            bias = False if made.bias is None else _Values(made.bias)
            checked = {**made.options._asdict(), "kernel_size": made.kernel_size}
            checked |= {"weight": _Values(made.weight), "bias": bias}
            for name, value in checked.items():
                object.__setattr__(self, name, value)
        super().__post_init__()

    def __call__(self, X: Tensor) -> Tensor:
        if self.scope is None:
            return self.init_with_output(jax.random.key(0), X)[0]
        return self.forward(X)

    @nn.compact
    def forward(self, X: Tensor) -> Tensor:
        weight = self.param("weight", self.weight)
        bias = self.param("bias", self.bias) if self.bias else None
        options = self.stride, self.padding, self.dilation, self.groups
        Y: Tensor = operations.layer(load("jax"), X, weight, bias, options, self.method)
        return Y


class _Values:
    """Initial values, as a Flax initialiser that ignores the random key.

    Flax compares and hashes modules by their fields, which arrays do not allow and this does.
    """

    def __init__(self, values: FloatArray) -> None:
        self.values = values
        self.identity = (values.shape, values.dtype.str, values.tobytes())

    def __call__(self, key: Any) -> Tensor:
        return tensor(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Values) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    def __repr__(self) -> str:
        return repr(self.values.tolist())


class Pool2D(nn.Module):
    """The maximum, or the mean, of each window.

    The arguments are those of :func:`d2lconv.Pool2D`.
    """

    size: Any
    mode: str = field(default="max", kw_only=True)
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    count_include_pad: bool = field(default=False, kw_only=True)
    method: str = field(default="exact", kw_only=True)

    def __post_init__(self) -> None:
        names = "size", "mode", "stride", "padding", "count_include_pad", "method"
        made = pooling(*(getattr(self, name) for name in names))
        for name, value in made.items():
            object.__setattr__(self, name, value)
        super().__post_init__()

    def __call__(self, X: Tensor) -> Tensor:
        names = "size", "mode", "stride", "padding", "count_include_pad", "method"
        options = {name: getattr(self, name) for name in names}
        Y: Tensor = operations.pool2d(load("jax"), X, **options)
        return Y


def _arguments(module: Any) -> inspect.Signature:
    """What users give a module: not its parent and its name, which Flax does."""
    found = inspect.signature(module)
    return found.replace(
        parameters=[p for p in found.parameters.values() if p.name not in ("parent", "name")]
    )


for _module in (Conv2D, Pool2D):
    setattr(_module, "__signature__", _arguments(_module))  # noqa: B010


def gradients(layer: Conv2D, X: Tensor, G: Tensor) -> dict[str, Tensor]:
    """The gradients of a layer's output for G: of the image, the weight, and the bias if any."""
    parameters = layer.init(jax.random.key(0), X)
    _, pull = jax.vjp(layer.apply, parameters, X)
    of_parameters, of_image = pull(G)
    return {"image": of_image, **of_parameters["params"]}
