"""Two layers of two frameworks: what differs, in the order in which one looks for it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lconv.core.shown import Shown
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.parity.compare import compare
from d2lconv.parity.describe import OPTIONS, Description, call, describe
from d2lconv.parity.pooling import compare_pool
from d2lconv.parity.verdict import Comparison


@dataclass(frozen=True)
class LayersReport(Shown):
    """How two layers differ; ``print`` it, ``plot()`` for where their outputs do.

    Attributes:
        a, b: The descriptions of the two.
        parameters: The parameters that differ, in words.
        weights: The comparison of weights and biases by name, where both have them.
        outputs: The comparison of the results, a's as actual, b's as expected, for b's parameters.
    """

    a: Description
    b: Description
    parameters: tuple[str, ...]
    weights: dict[str, Comparison]
    outputs: Comparison

    @property
    def verdict(self) -> str:
        """The verdict on the outputs; "bug" where parameters differ."""
        return "bug" if self.parameters else self.outputs.verdict

    def __repr__(self) -> str:
        differ = f"{len(self.parameters)} parameters differ, " if self.parameters else ""
        return f"LayersReport({self.verdict!r}, {differ}outputs: {self.outputs!r})"

    def __str__(self) -> str:
        lines = [f"a: {self.a}", f"b: {self.b}"]
        lines += [f"parameter: {words}" for words in self.parameters]
        lines += [f"{name}: {found}" for name, found in self.weights.items() if not found.identical]
        return "\n".join([*lines, f"outputs: {self.outputs}"])


def layers(
    a: Any, b: Any, X: Any, *, a_parameters: Any = None, b_parameters: Any = None
) -> LayersReport:
    """Compare two layers of any frameworks on the same images.

    Args:
        a, b: Layers, as :func:`describe` takes them; a Flax layer may be a pair of module and
            parameters, as :func:`port` gives it.
        X: Images (n, c, h, w), or (n, c) for dense layers, a NumPy array, whichever layout the
            layers take.
        a_parameters, b_parameters: The parameters of a Flax layer.

    Returns:
        A :class:`LayersReport`: parameters that differ (padding "same" as the numbers that it is
        for these images), weights that differ, and the outputs, each held against the true value.

    Raises:
        ArgumentError: A layer is not known, or has no weights yet, or the kinds differ.
    """
    if isinstance(a, tuple):
        a, a_parameters = a
    if isinstance(b, tuple):
        b, b_parameters = b
    X = np.asarray(X)
    one, other = describe(a, a_parameters), describe(b, b_parameters)
    if one.kind != other.kind:
        raise ArgumentError(f"a is {one.kind}, b is {other.kind}; compare layers of one kind.")
    if X.ndim != (2 if one.kind == "dense" else 4):
        wanted = "(n, c)" if one.kind == "dense" else "(n, c, h, w)"
        raise ShapeError(f"X has the shape {X.shape}; {one.kind} takes {wanted}.")
    differing = _parameters(one, other, X)
    weights = {}
    for name in ("weight", "bias"):
        first, second = getattr(one, name), getattr(other, name)
        if first is not None and second is not None:
            weights[name] = compare(first, second)
        elif (first is None) != (second is None):
            without = "a" if first is None else "b"
            differing.append(f"{name}: {without} has none")
    results = call(a, X, a_parameters), call(b, X, b_parameters)
    return LayersReport(one, other, tuple(differing), weights, _outputs(*results, X, other))


def _parameters(a: Description, b: Description, X: Any) -> list[str]:
    differing = []
    if a.kind != "dense":
        size = X.shape[2], X.shape[3]
        for name in OPTIONS[a.kind]:
            own = [getattr(d, name) for d in (a, b)]
            first, second = (getattr(d.on(size), name) for d in (a, b))
            if name == "counted" and not any(map(any, (*a.on(size).padding, *b.on(size).padding))):
                continue  # there is no padding to count
            if first != second:
                means = [
                    f"{given!r}, which is {here} at {size[0]}x{size[1]}"
                    if given == "same"
                    else f"{given}"
                    for given, here in zip(own, (first, second), strict=True)
                ]
                differing.append(f"{name}: a has {means[0]}, b has {means[1]}")
    return differing


def _outputs(actual: Any, expected: Any, X: Any, d: Description) -> Comparison:
    if d.kind == "dense":
        K = d.weight[:, :, None, None]
        there = actual[:, :, None, None], expected[:, :, None, None]
        return compare(*there, X=X[:, :, None, None], K=K, bias=d.bias)
    if d.kind == "convolution":
        return compare(
            actual, expected, X=X, K=d.weight, bias=d.bias, stride=d.stride, padding=d.padding,
            dilation=d.dilation, groups=d.groups,
        )  # fmt: skip
    return compare_pool(
        actual, expected, X, d.size, mode="max" if d.kind == "max pooling" else "avg",
        stride=d.stride, padding=d.padding, count_include_pad=d.counted, ceil_mode=d.ceil,
    )  # fmt: skip
