"""LeNet in NumPy: plain objects, whose gradients are written out, layer by layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from d2lconv.core import network, rounded
from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.derivatives import Operation
from d2lconv.core.geometry import Geometry, pooling
from d2lconv.core.lenet import Layer, Network
from d2lconv.core.registry import load
from d2lconv.errors import ArgumentError
from d2lconv.rounding import functions
from d2lconv.rounding import network as rounding
from d2lconv_numpy import exact, scratch
from d2lconv_numpy.layers import Conv2D, Pool2D, gradients
from d2lconv_numpy.tensors import tensor


class LeNet:
    """The network that a description says: its layers, called one after the other."""

    def __init__(self, made: Network) -> None:
        if made.is_builtin:
            raise ArgumentError("NumPy has no layers of its own: use layer='d2lconv'.")
        self.made = made
        self.layers = {one.name: _layer(one, made) for one in made.layers}

    def __call__(self, X: Any) -> Tensor:
        for layer in self.layers.values():
            X = layer(X)
        return X

    def __repr__(self) -> str:
        return f"LeNet({', '.join(map(repr, self.layers.values()))})"

    def parameters(self) -> dict[str, Tensor]:
        """The parameters by name, which a change in place changes."""
        return {
            f"{one.name}.{name}": getattr(self.layers[one.name], name)
            for one in self.made.layers
            for name in one.shapes
        }

    def summary(self) -> None:
        """Print the shapes after each layer, and the number of parameters."""
        print(self.made)


class Dense:
    """A fully connected layer with weights (o, i) and a bias (o,), correctly rounded."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, X: Tensor) -> Tensor:
        return network.dense(load("numpy"), X, self.weight, self.bias)

    def __repr__(self) -> str:
        return f"Dense{self.weight.shape[::-1]}"


class _Activation:
    """A function of each element, correctly rounded."""

    def __init__(self, function: str) -> None:
        self.function = function

    def __call__(self, X: Tensor) -> Tensor:
        return getattr(network, self.function)(load("numpy"), X)

    def __repr__(self) -> str:
        return f"Activation({self.function!r})"


class _Flatten:
    """All elements of an example in a row."""

    def __call__(self, X: Tensor) -> Tensor:
        return X.reshape(len(X), -1)

    def __repr__(self) -> str:
        return "Flatten()"


def _layer(one: Layer, made: Network) -> Any:
    values: Any = {name: tensor(value) for name, value in made.values(one).items()}
    method = made.options["method"]
    if one.kind == "conv":
        return Conv2D(**one.convolution, **values, method=method)
    if one.kind == "dense":
        return Dense(**values)
    if one.kind == "flatten":
        return _Flatten()
    if one.kind in ("avg", "max"):
        return Pool2D(2, mode=one.kind, method=method)
    return _Activation(one.kind)


def parameters(net: LeNet) -> dict[str, Tensor]:
    """Copies of the parameters by name, as the description has them."""
    return {name: tensor(value) for name, value in net.parameters().items()}


def assign(net: LeNet, values: Mapping[str, Tensor]) -> None:
    """Give a network other parameters, as :func:`parameters` gives them."""
    for name, held in net.parameters().items():
        held[...] = values[name]


def outputs(net: LeNet, X: Tensor) -> list[Tensor]:
    """What each layer makes of images (n, 1, 28, 28), one after the other."""
    found = [X]
    for layer in net.layers.values():
        found.append(layer(found[-1]))
    return found[1:]


def layer(net: LeNet, name: str) -> Operation:
    """What a layer computes, as a function of a tensor."""
    found: Operation = net.layers[name]
    return found


def pull(layer: Operation, X: Tensor, G: Tensor) -> tuple[Tensor, list[Tensor]] | None:
    """The gradients at a layer's input X, and by the parameters in it, for G at its output.

    None of a function that is no layer of ours: nothing in NumPy differentiates it.
    """
    if not isinstance(layer, (Conv2D, Dense, Pool2D, _Activation, _Flatten)):
        return None
    dX, found = _backward(layer, X, G)
    return dX, list(found.values())


@np.errstate(all="ignore")  # values here, as elsewhere
def loss_gradients(net: LeNet, X: Tensor, labels: Any) -> tuple[float, Tensor, dict[str, Tensor]]:
    """The mean cross-entropy, what it was computed of, and its gradients by the parameters."""
    inputs = [X, *outputs(net, X)]
    logits = inputs.pop()
    loss = network.cross_entropy(load("numpy"), logits, labels)
    G = rounding.softmax_cross_entropy_gradient(logits, labels)
    found: dict[str, Tensor] = {}
    for one, given in zip(reversed(net.made.layers), reversed(inputs), strict=True):
        layer = net.layers[one.name]
        if one is net.made.layers[0]:  # nobody needs the images' gradient
            of_parameters = gradients(layer, given, G, image=False)
        else:
            G, of_parameters = _backward(layer, given, G)
        found |= {f"{one.name}.{name}": value for name, value in of_parameters.items()}
    return float(loss), logits, {name: found[name] for name in net.made.shapes}


@np.errstate(all="ignore")
def step(net: LeNet, X: Tensor, labels: Any, lr: float) -> tuple[float, Tensor]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    return scratch.train_step(net, loss_gradients, X, labels, tensor(lr))


def _backward(layer: Any, X: Tensor, G: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The gradients of a layer: of what it was given, and of its parameters by name."""
    if isinstance(layer, Conv2D):
        found = gradients(layer, X, G)
        return found.pop("image"), found
    if isinstance(layer, Dense):
        dX, weight, bias = rounding.dense_gradients(X, layer.weight, G)
        return dX, {"weight": weight, "bias": bias}
    if isinstance(layer, _Flatten):
        return G.reshape(X.shape), {}
    if isinstance(layer, Pool2D):
        if layer.made["mode"] == "max":
            return exact.put_back(X, G, _windows(layer, X)), {}
        method = rounded if "method" in layer.made else exact
        return method.avg_pool_gradient(G, _windows(layer, X)), {}
    gradient: Operation = getattr(functions, f"{layer.function}_gradient")
    return gradient(X, G), {}


def _windows(layer: Pool2D, X: Tensor) -> tuple[Geometry, bool]:
    """The windows of a pooling layer."""
    made = layer.made
    geometry = pooling(X.shape, made["size"], made["stride"], made["padding"])[0]
    return geometry, made.get("count_include_pad", False)
