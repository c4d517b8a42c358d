"""Which layer of a port is wrong? Two networks, walked layer by layer, forward and backward.

Each layer of both networks gets the same input, the first network's, so that what one layer does
wrong does not show in the next. The same holds backward, for the gradient at each output: from it
come the gradients of the layer's parameters, and the one at its input.

- A convolution and its gradients are sums of products: :func:`~d2lconv.parity.compare` tells
  rounding from narrow types and from mistakes. A dense layer is a convolution with kernels of 1x1.
- A mean of four is off by gamma(5); maxima, ReLU and flattening round nothing.
- Sigmoid and tanh have no proven bound in the frameworks. ``FUNCTIONS`` times u, absolute, is what
  the released ones keep with room to spare; their gradients likewise, times the gradient at hand.
- Where a maximum is not the only one in its window, or ReLU is at 0, the gradient is a convention,
  and frameworks differ in it: there anything up to the gradient at hand is allowed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from d2lconv.core import lenet, ownership, registry
from d2lconv.core.contract import FloatArray
from d2lconv.core.lenet import Layer, Network, Values
from d2lconv.core.selection import choose
from d2lconv.core.shown import Shown
from d2lconv.errors import ArgumentError
from d2lconv.parity.bounds import gamma
from d2lconv.parity.compare import compare
from d2lconv.parity.verdict import Comparison
from d2lconv.rounding import functions
from d2lconv.rounding import network as rounding
from d2lconv.training import data, owner

FUNCTIONS: Final = 16  # u that sigmoid and tanh may be off, absolute
U: Final = 2.0**-24
TINY: Final = float(np.finfo(np.float32).tiny)
LAST: Final = {2: (1, 0), 4: (3, 2, 0, 1)}  # (i, o) and (kh, kw, c, o), as we have them


@dataclass(frozen=True)
class Step:
    """One tensor of the walk.

    Attributes:
        name: What it is: "conv1.weight", a parameter; "conv1", the layer's output; "conv1.weight,
            gradient", that of the loss by the parameter; or "conv1, gradient at its input".
        comparison: Of the second network's with the first one's.
        cause: What would explain the difference, in words; empty if nothing is known to.
    """

    name: str
    comparison: Comparison
    cause: str = ""

    def __str__(self) -> str:
        words = str(self.comparison)  # which names the causes that the comparison has found
        return f"{self.name}: {words}." + (
            f" Cause: {self.cause}." if self.cause not in words else ""
        )


@dataclass(frozen=True)
class Trace(Shown):
    """What :func:`trace` gives; ``print`` it for the whole walk, ``plot()`` it for every verdict.

    Attributes:
        steps: All tensors, in the order of the walk.
        note: What was not walked, and why; empty if all was.
    """

    steps: tuple[Step, ...]
    note: str = ""

    @property
    def first(self) -> Step | None:
        """The first tensor that rounding does not explain; None if it explains all."""
        wrong = ("imprecise", "bug")
        return next((one for one in self.steps if one.comparison.verdict in wrong), None)

    def __repr__(self) -> str:
        where = "no bug" if self.first is None else f"first bug: {self.first.name}"
        return f"Trace({len(self.steps)} tensors, {where})"

    def __str__(self) -> str:
        lines = [f"{one.comparison.verdict:<9}  {one.name}" for one in self.steps]
        end = "Rounding explains every difference." if self.first is None else f"First {self.first}"
        return "\n".join([*lines, *filter(None, [self.note]), end])


@dataclass(frozen=True)
class _Side:
    """A network as functions of NumPy arrays.

    Attributes:
        layers: What each layer computes.
        pulls: The gradients of each layer for its input and the gradient at its output: "input",
            "weight" and "bias", as far as they are known.
        parameters: All parameters; None if they are not known.
    """

    layers: Mapping[str, Callable[[FloatArray], FloatArray]]
    pulls: Mapping[str, Callable[[FloatArray, FloatArray], dict[str, FloatArray]]]
    parameters: Values | None = None


def trace(net_a: Any, net_b: Any, images: Any, labels: Any) -> Trace:
    """Walk two networks forward and backward, and name the first tensor that is not rounding.

    Args:
        net_a: A network that :func:`d2lconv.LeNet` made: what is right.
        net_b: Another one, of any framework, or a port of it: a list of 12 functions, one for each
            layer, of tensors (n, c, h, w) or (n, i). A port of native layers gets the tensors of
            their framework, and one of plain functions those of the backend in force.

            The framework differentiates the functions. Native layers (an ``nn.Module``, a Keras
            layer, a Gluon block, a Flax module with its parameters, from ``bind``) give the
            gradients of their parameters too. Where the gradients are written by hand, the layer is
            a pair (function, backward): ``backward(X, G)`` takes the layer's input and the
            gradient at its output, and gives the gradient at its input, or a tuple of this one and
            those of weight and bias.
        images: Shape (n, 1, 28, 28), float32; a few are enough.
        labels: Shape (n,), integers from 0 to 9.

    Returns:
        A :class:`Trace`. Its ``first`` is the :class:`Step` where the networks part, or None. Of
        gradients, those by the parameters of a layer come before the one at its input.

    Raises:
        ArgumentError: net_a is no network of dc.LeNet, or net_b neither one nor 12 layers.
        ShapeError, DTypeError: As :func:`d2lconv.train`.

    Example:
        >>> import d2lconv as dc
        >>> images, labels = dc.digits()
        >>> net = dc.LeNet()
        >>> port = list(net.layers.values())
        >>> port[1] = dc.relu                        # the book has sigmoid
        >>> step = dc.parity.trace(net, port, images[:4], labels[:4]).first
        >>> step.name, step.cause
        ('activation1', 'it computes relu')
    """
    a = _network(net_a)
    made: Network = net_a.made
    b = _network(net_b) if hasattr(net_b, "made") else _port(net_b, made)
    given = data.checked(images, labels, "images", "labels")
    steps = list(_parameters(a, b))
    inputs = [given.images]
    for one in made.layers:
        X = inputs[-1]
        inputs.append(a.layers[one.name](X))
        steps.append(_forward(one, a, b, X, inputs[-1]))
    G = rounding.softmax_cross_entropy_gradient(inputs.pop(), given.labels)
    names: list[str] = []
    for one, X in zip(reversed(made.layers), reversed(inputs), strict=True):
        expected = a.pulls[one.name](X, G)
        names += _gradients(one).values()
        steps += _backward(one, a, b, X, G, expected)
        G = expected["input"]
    missing = "; ".join(name for name in names if name not in {step.name for step in steps})
    note = "These gradients were not walked, because net_b does not give them: "
    return Trace(tuple(steps), f"{note}{missing}." if missing else "")


def _network(net: Any) -> _Side:
    native = owner(net)
    backend = registry.load(ownership.backend_of(net) or "numpy")
    layers = [(native.layer(net, one.name), None) for one in net.made.layers]
    return _side(backend, net.made, layers, native.parameters(net))


def _port(layers: Any, made: Network) -> _Side:
    given = list(layers) if isinstance(layers, Sequence) else []
    pairs = [pair for pair in map(_pair, given) if pair is not None]
    if len(pairs) != len(made.layers) or len(given) != len(pairs):
        many = given and len(given) == len(pairs)
        what = f"{len(pairs)} of them" if many else f"a {type(layers).__name__}"
        raise ArgumentError(
            f"net_b is {what}; it must be a network that dc.LeNet makes, or a list of "
            f"{len(made.layers)} functions, or pairs (function, backward): "
            f"{', '.join(one.name for one in made.layers)}."
        )
    native = [own for own in (ownership.backend_of(function) for function, _ in pairs) if own]
    return _side(registry.load(native[0]) if native else choose(), made, pairs)


def _pair(layer: Any) -> tuple[Any, Any] | None:
    """A layer as a function, and what differentiates it; None for the framework."""
    if callable(layer):
        return layer, None
    both = isinstance(layer, (tuple, list)) and len(layer) == 2 and all(map(callable, layer))
    return (layer[0], layer[1]) if both else None


def _side(backend: Any, made: Network, layers: Any, parameters: Values | None = None) -> _Side:
    """A network of functions of a backend's tensors, with what differentiates them, if given."""
    native = registry.optional(backend.name, "networks", "networks")
    tensor, to_numpy = backend.tensors.tensor, backend.tensors.to_numpy

    def calling(function: Any) -> Callable[[FloatArray], FloatArray]:
        return lambda X: to_numpy(function(tensor(X)))

    def pulling(one: Layer, function: Any, backward: Any) -> Any:
        def by_hand(X: FloatArray, G: FloatArray) -> dict[str, FloatArray]:
            given = backward(tensor(X), tensor(G))
            found = given if isinstance(given, (tuple, list)) else (given,)
            names = ("input", *one.shapes)
            if len(found) > len(names):
                raise ArgumentError(
                    f"backward gives {len(found)} gradients; {one.name} has those of "
                    f"{', '.join(names)}."
                )
            values = zip(names, map(to_numpy, found), strict=False)
            return {name: _turned(value, one.shapes.get(name)) for name, value in values}

        def by_framework(X: FloatArray, G: FloatArray) -> dict[str, FloatArray]:
            found = native.pull(function, tensor(X), tensor(G))
            if found is None:
                return {}
            dX, others = found
            of_parameters = {
                name: value
                for name, shape in one.shapes.items()
                for value in (_turned(to_numpy(other), shape) for other in others)
                if value.shape == shape
            }
            return {"input": to_numpy(dX), **of_parameters}

        return by_framework if backward is None else by_hand

    named = list(zip(made.layers, layers, strict=True))
    return _Side(
        {one.name: calling(function) for one, (function, _) in named},
        {one.name: pulling(one, *pair) for one, pair in named},
        parameters,
    )


def _turned(value: FloatArray, shape: tuple[int, ...] | None) -> FloatArray:
    """A parameter's gradient as we have it, where it has its outputs last."""
    turned = value.transpose(LAST[value.ndim]) if value.ndim in LAST else value
    return turned if turned.shape == shape != value.shape else value


def _parameters(a: _Side, b: _Side) -> Iterator[Step]:
    """Those of both, if both are known."""
    if a.parameters is not None and b.parameters is not None:
        for name, value in a.parameters.items():
            comparison = compare(b.parameters[name], value)
            cause = "" if comparison.identical else "the networks have other parameters"
            yield Step(name, comparison, cause)


def _forward(one: Layer, a: _Side, b: _Side, X: FloatArray, Y: FloatArray) -> Step:
    try:
        found = b.layers[one.name](X)
    except Exception as error:  # whatever a port's framework raises is what is wrong
        return _raised(one.name, error)
    comparison = _compare(one, a, "output", found, Y, X)
    cause = comparison.cause or ""
    if comparison.verdict == "bug":
        cause = next(_mistakes(one, a, X, found), cause)
    return Step(one.name, comparison, cause)


def _backward(
    one: Layer, a: _Side, b: _Side, X: FloatArray, G: FloatArray, expected: dict[str, FloatArray]
) -> Iterator[Step]:
    """The gradients of a layer that b gives too."""
    try:
        found = b.pulls[one.name](X, G)
    except Exception as error:  # as above
        yield _raised(_gradients(one)["input"], error)
        return
    for of, name in _gradients(one).items():
        if of not in found:
            continue
        comparison = _compare(one, a, of, found[of], expected[of], X, G)
        cause = comparison.cause or _wrong_gradient(comparison, found[of], expected[of], G)
        yield Step(name, comparison, cause)


def _gradients(one: Layer) -> dict[str, str]:
    """What the gradients of a layer are called, in the order of the walk."""
    of_parameters = {name: f"{one.name}.{name}, gradient" for name in one.shapes}
    return {**of_parameters, "input": f"{one.name}, gradient at its input"}


def _raised(name: str, error: Exception) -> Step:
    text = f"it raised {type(error).__name__}: {error}"
    return Step(name, Comparison(False, None, np.inf, None, "bug", text), "it does not compute")


def _compare(
    one: Layer, a: _Side, of: str, found: FloatArray, expected: FloatArray, X: FloatArray,
    G: FloatArray | None = None,
) -> Comparison:  # fmt: skip
    """Compare outputs of a layer, or gradients for G at its output."""
    if one.shapes:
        assert a.parameters is not None
        K, bias = (a.parameters[f"{one.name}.{name}"] for name in ("weight", "bias"))
        names = {"output": "XK", "weight": "XG", "bias": "G", "input": "KG"}[of]
        given = {"X": X, "K": K, "G": G}
        wide: dict[str, Any] = {name: _as_images(given[name]) for name in names}
        if of == "output":
            wide["bias"] = bias
        if of != "bias":
            found, expected = map(_as_images, (found, expected))
        return compare(found, expected, **wide, of=of, padding=one.padding)
    allowed = _allowed_forward(one, X) if G is None else _allowed_backward(one, X, G)
    # Twice, because either result may use it; and where the shapes differ, nothing is near.
    bound = 2 * allowed if found.shape == expected.shape else None
    return compare(found, expected, bound=bound)


def _as_images(t: Any) -> Any:
    """What a dense layer takes, has and gives, as what a convolution of 1x1 does."""
    return t[:, :, None, None] if t.ndim == 2 else t


def _allowed_forward(one: Layer, X: FloatArray) -> Any:
    """What an output may be off."""
    if one.kind == "avg":
        return gamma(5, "float32") * np.abs(_windows(X.astype(np.float64))).mean(-1) + 4 * TINY
    of_function = FUNCTIONS * U if one.kind in ("sigmoid", "tanh") else 0.0
    return np.full((len(X), *one.output), of_function)


def _allowed_backward(one: Layer, X: FloatArray, G: FloatArray) -> Any:
    """What the gradient at an input may be off."""
    size = np.abs(G.astype(np.float64))
    if one.kind == "avg":
        return gamma(2, "float32") / 4 * _spread(size, X) + TINY
    if one.kind == "max":
        windows = _windows(X)
        ties = (windows == windows.max(-1, keepdims=True)).sum(-1) > 1
        return _spread(np.where(ties, size, 0), X)
    if one.kind == "relu":
        return np.where(X == 0, size, 0)
    if one.kind in ("sigmoid", "tanh"):
        return FUNCTIONS * U * size + TINY
    return np.zeros(X.shape)


def _windows(X: Any) -> Any:
    """The windows of 2x2, (n, c, h/2, w/2, 4)."""
    n, c, h, w = X.shape
    return X.reshape(n, c, h // 2, 2, w // 2, 2).swapaxes(3, 4).reshape(n, c, h // 2, w // 2, 4)


def _spread(G: Any, X: FloatArray) -> Any:
    """Each element to all places of its window."""
    return np.repeat(np.repeat(G, 2, 2), 2, 3).reshape(X.shape)


def _mistakes(one: Layer, a: _Side, X: FloatArray, found: FloatArray) -> Iterator[str]:
    """What people get wrong in such a layer, and what this output would be right for."""
    if one.kind == "dense" and X.shape[1] == 400:
        to_last = X.reshape(-1, 16, 5, 5).transpose(0, 2, 3, 1).reshape(X.shape)
        of_last = X.reshape(-1, 5, 5, 16).transpose(0, 3, 1, 2).reshape(X.shape)
        for other in (to_last, of_last):
            right = a.layers[one.name](other)
            if _compare(one, a, "output", found, right, other).verdict != "bug":
                yield "its weights are in the order (row, column, channel) of what was flattened"
    for words, value in _others(one, X):
        near = FUNCTIONS * U * np.maximum(1, np.abs(value))
        if found.shape == value.shape and compare(found, value, bound=near).verdict != "bug":
            yield words


def _others(one: Layer, X: FloatArray) -> Iterator[tuple[str, FloatArray]]:
    """What a layer without parameters may do instead, and what comes of it."""
    if one.kind == "flatten":
        rows = X.transpose(0, 2, 3, 1).reshape(len(X), -1)
        yield "it flattens in the order (row, column, channel)", rows
    elif one.kind in lenet.POOLS:
        other = np.max if one.kind == "avg" else np.mean
        yield f"it takes {'maxima' if one.kind == 'avg' else 'means'}", other(_windows(X), -1)
        yield "it adds up its windows and does not divide", _windows(X).sum(-1)
    elif one.kind in lenet.ACTIVATIONS:
        for name in lenet.ACTIVATIONS:
            if name != one.kind:
                yield f"it computes {name}", getattr(functions, name)(X)
        yield "it does nothing", X


def _wrong_gradient(
    comparison: Comparison, found: FloatArray, expected: FloatArray, G: FloatArray
) -> str:
    """What explains a wrong gradient, in words."""
    if comparison.verdict != "bug" or found.shape != expected.shape:
        return ""
    if not found.any():
        return "no gradient comes back: what it computes is cut off"
    if found.shape == G.shape and np.array_equal(found, G):
        return "the gradient passes as it is: its derivative is taken for 1"
    some = np.abs(expected) > 1e-3 * np.abs(expected).max()
    ratios = found[some] / expected[some]
    if np.ptp(ratios) < 1e-3 * np.abs(ratios).max():
        return f"the gradient is {float(np.median(ratios)):.4g} times what it should be"
    return ""
