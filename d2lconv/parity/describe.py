"""Layers of frameworks, described in one form: what they compute, and with which numbers.

A backend that knows its framework's layers has a module ``native_layers`` with

- ``describe(layer, parameters)``, which gives a :class:`Description`, or None if it knows no such
  layer;
- ``build(description)``, which makes the framework's own layer of one;
- ``call(layer, X, parameters)``, which takes and gives NumPy arrays (n, c, h, w).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from d2lconv.core import registry
from d2lconv.core.geometry import form
from d2lconv.core.options import Pair, Sides
from d2lconv.errors import ArgumentError, ShapeError

KINDS = ("convolution", "max pooling", "mean pooling", "dense")


@dataclass(frozen=True)
class Description:
    """What a layer computes.

    Attributes:
        kind: One of :data:`KINDS`.
        backend: Whose layer it is.
        layout: In which order of axes the layer itself takes images.
        weight: Kernels (o, c/groups, kh, kw), or (o, c) of a dense layer; None for pooling.
        bias: A number for each output (o,), or None.
        size: The window of pooling, or the sides of the kernel.
        stride, dilation: Pairs.
        padding: ((top, bottom), (left, right)), or "same" by TensorFlow's rule.
        groups: Of a convolution.
        counted: Whether a mean counts its padding.
        ceil: Whether pooling rounds the output's size up.
    """

    kind: str
    backend: str
    layout: str = "NCHW"
    weight: Any = None
    bias: Any = None
    size: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Sides | str = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    counted: bool = False
    ceil: bool = False

    def on(self, image: Pair) -> "Description":
        """The same with "same" as the numbers that it means for images of this height and width."""
        if self.padding != "same":
            return self
        options = self.stride, "same", self.dilation
        found = form((1, 1, *image), (1, 1, *self.size), *options, 1).geometry.padding
        return replace(self, padding=found)

    def __str__(self) -> str:
        shown = {name: getattr(self, name) for name in OPTIONS[self.kind]}
        options = ", ".join(f"{name} {value}" for name, value in shown.items())
        weight = "" if self.weight is None else f", weight {self.weight.shape}"
        bias = "" if self.bias is None else ", bias"
        return f"{self.kind} in {self.backend}, {self.layout}: {options}{weight}{bias}".replace(
            ": , ", ": "
        )


OPTIONS = {
    "convolution": ("size", "stride", "padding", "dilation", "groups"),
    "max pooling": ("size", "stride", "padding", "ceil"),
    "mean pooling": ("size", "stride", "padding", "ceil", "counted"),
    "dense": (),
}


# The methods by which layers compute, and parts of them that users replace.
COMPUTING: Final = ("forward", "hybrid_forward", "call", "__call__", "convolution_op")


def describe(layer: Any, parameters: Any = None) -> Description:
    """A neutral description of a layer, a framework's own or d2lconv's.

    Args:
        layer: d2lconv's ``Conv2D`` or ``Pool2D``, or a dense layer of its ``LeNet``;
            ``torch.nn.Conv2d``, ``Linear``, ``MaxPool2d`` or ``AvgPool2d``; Keras' ``Conv2D``,
            ``DepthwiseConv2D``, ``Dense``, ``MaxPooling2D`` or ``AveragePooling2D``;
            ``flax.linen.Conv`` or ``Dense``, or ``functools.partial`` of ``flax.linen.max_pool`` or
            ``avg_pool`` with its options; Gluon's ``Conv2D``, ``Dense``, ``MaxPool2D`` or
            ``AvgPool2D``; or a subclass of one that computes the same. In PyTorch and Keras also a
            ``Sequential`` of a layer that pads and one of these, as :func:`port` makes it.
        parameters: The parameters of a Flax layer, as ``init`` gives them; d2lconv's have those
            that they start from, if none are given.

    Raises:
        ArgumentError: The layer is no such layer, has no weights yet, or does what has no
            description (an activation, other padding than zeros).

    Note:
        Hooks are not looked at. :func:`layers` runs the layer, and so sees what they change.

    Example:
        >>> import d2lconv as dc
        >>> layer = dc.numpy.Conv2D((3, 3), in_channels=1, out_channels=2, padding=1)
        >>> found = dc.describe(layer)
        >>> found.kind, found.weight.shape, found.padding
        ('convolution', (2, 1, 3, 3), ((1, 1), (1, 1)))
    """
    backend, module = _owner(layer)
    _check_computes_as_its_kind(layer, module.KNOWN)  # first: MXNet is asked by running the layer
    found = module.describe(layer, parameters)
    if found is None:
        raise ArgumentError(
            f"the layer is a {type(layer).__name__} of {backend}; known there are {module.KNOWN}."
        )
    if not isinstance(found, Description):
        raise TypeError(f"{module.__name__}.describe gave a {type(found).__name__}")
    return found


def port(layer: Any, backend: str, parameters: Any = None) -> Any:
    """The same layer, with the same weights, in another framework.

    Args:
        layer: As :func:`describe` takes it; or a :class:`Description`.
        backend: The name of the backend: "torch", "tf" or "jax".
        parameters: The parameters of a Flax layer.

    Returns:
        The framework's own layer, which takes images in the layout that is usual there (channels
        last in Keras and Flax); in JAX a pair of module and parameters, and for pooling, for which
        Flax has functions alone, one with its options. Where padding differs from what the layer's
        own can be, a layer that pads stands before it.

    Raises:
        ArgumentError: As :func:`describe`, or the backend makes no layers of this kind.

    Example:
        >>> import d2lconv as dc
        >>> layer = dc.numpy.Conv2D((3, 3), in_channels=1, out_channels=2, seed=7)
        >>> same = dc.port(layer, "numpy")
        >>> bool((same.weight == layer.weight).all())
        True
    """
    found = layer if isinstance(layer, Description) else describe(layer, parameters)
    return _module(registry.resolve(backend)).build(found)


def call(layer: Any, X: Any, parameters: Any = None) -> Any:
    """The layer's results (n, o, H, W) for images (n, c, h, w), both NumPy arrays."""
    _, module = _owner(layer)
    return np.asarray(module.call(layer, X, parameters))


def of_convolution(backend: str, options: Any, weight: Any, bias: Any) -> Description:
    """The description of a Conv2D of d2lconv; options as ``core.options.settings`` gives them."""
    stride, padding, dilation, groups = options
    size = weight.shape[-2], weight.shape[-1]
    if weight.ndim == 2:
        weight = weight[None, None]
    return Description(
        "convolution", backend, "NCHW", weight, bias, size, stride, padding, dilation, groups
    )


def of_pooling(backend: str, made: Mapping[str, Any]) -> Description:
    """The description of a Pool2D of d2lconv, made of what ``parameters.pooling`` gives."""
    return Description(
        "max pooling" if made["mode"] == "max" else "mean pooling",
        backend,
        size=made["size"],
        stride=made["stride"],
        padding=made["padding"],
        counted=bool(made.get("count_include_pad", False)),
    )


def behind(sides: Sides, value: float, found: Description) -> Description:
    """The description of a layer behind one that pads: one layer with all of the padding.

    Args:
        sides: What is padded, ((top, bottom), (left, right)).
        value: With what.
        found: The layer behind it.

    Raises:
        ArgumentError: No one layer does the same.
    """
    fitting = -np.inf if found.kind == "max pooling" else 0.0
    mean, own = found.kind == "mean pooling", found.padding
    if (
        found.kind == "dense"
        or value != fitting
        or isinstance(own, str)
        or found.ceil
        or (mean and any(map(any, own)) and not found.counted)
    ):
        raise ArgumentError(
            f"a layer that pads with {value} is followed by {found}; described is padding of "
            f"{fitting} before it, without 'same', ceil, or padding of its own that is not counted."
        )
    padding: Any = tuple((a + c, b + d) for (a, b), (c, d) in zip(sides, own, strict=True))
    return replace(found, padding=padding, counted=mean)


def images(run: Callable[[Any], Any], X: Any, single: bool) -> Any:
    """A layer's results for images (n, c, h, w), also of a layer that takes ``single`` ones (h, w).

    Raises:
        ShapeError: Such a layer has one channel, and X has more.
    """
    if not single:
        return run(X)
    if X.shape[1] != 1:
        raise ShapeError(f"X has the shape {X.shape}, and the layer has one channel.")
    return np.stack([run(image)[None] for (image,) in X])


def _check_computes_as_its_kind(layer: Any, known: str) -> None:
    """Check that no class of a user's, and no attribute, says anew what a layer computes."""
    own = {root for name in registry.manifests() for root in _roots(name)}
    places: list[tuple[str, Any]] = [("the layer itself", getattr(layer, "__dict__", {}))]
    for kind in type(layer).__mro__:
        if kind is partial or str(kind.__module__).partition(".")[0] in own:
            break
        places.append((f"{kind.__name__}, a class of your own,", vars(kind)))
    for where, named in places:
        for name in COMPUTING:
            if name in named:
                raise ArgumentError(
                    f"{where} has a {name!r} of its own, so it may compute anything; what computes "
                    f"as its framework's layers do is described: known there are {known}."
                )


def _roots(name: str) -> tuple[str, ...]:
    manifest, package = registry.manifests()[name]
    return (*manifest.modules, *manifest.type_roots, package)


def _owner(layer: Any) -> tuple[str, Any]:
    kinds = [layer.func] if isinstance(layer, partial) else type(layer).__mro__
    roots = [str(kind.__module__).partition(".")[0] for kind in kinds]
    names = dict(registry.manifests())
    for root in roots:
        for name in names:
            if root in _roots(name):
                return name, _module(name)
    raise ArgumentError(
        f"the layer is a {type(layer).__name__}, which belongs to no framework that is known here "
        f"({', '.join(names)})."
    )


def _module(name: str) -> Any:
    _, package = registry.manifests()[name]
    if find_spec(f"{package}.native_layers") is None:
        having = [
            other
            for other, (_, there) in registry.manifests().items()
            if find_spec(f"{there}.native_layers") is not None
        ]
        raise ArgumentError(
            f"the backend {name!r} describes no layers of its framework; {', '.join(having)} do."
        )
    return import_module(f"{package}.native_layers")
