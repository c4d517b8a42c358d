"""LeNet in MXNet and Gluon: a ``gluon.nn.Sequential``, trained by its autograd."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from d2lconv.core import network
from d2lconv.core.contract import FloatArray
from d2lconv.core.derivatives import Operation
from d2lconv.core.lenet import Layer, Network
from d2lconv.core.registry import load
from d2lconv_mxnet import scratch
from d2lconv_mxnet.layers import Conv2D, Pool2D
from d2lconv_mxnet.tensors import Tensor, tensor, to_numpy

from mxnet import autograd, gluon, np, util  # isort: skip
from mxnet.gluon import nn  # isort: skip


@util.use_np  # in other threads than the first, NumPy semantics are off
class LeNet(nn.Sequential):  # type: ignore[misc]
    """The network that a description says."""

    def __init__(self, made: Network) -> None:
        super().__init__()
        self.made = made
        make = _builtin if made.is_builtin else _layer
        for one in made.layers:
            self.add(make(one, made))
        if made.is_builtin:  # ours are already
            self.initialize()
        assign(self, made.start)

    def __getitem__(self, index: Any) -> Any:
        # A part of it is no LeNet, and is not made as one.
        layers = list(self._children.values())[index]
        if not isinstance(index, slice):
            return layers
        part = nn.Sequential()
        part.add(*layers)
        return part

    def summary(self) -> None:
        """Print the shapes after each layer, and the number of parameters."""
        print(self.made)


@util.use_np
class Dense(gluon.Block):  # type: ignore[misc]
    """A fully connected layer with weights (o, i) and a bias (o,), correctly rounded."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = self.params.get("weight", shape=shape)
        self.bias = self.params.get("bias", shape=shape[:1])
        self.initialize()

    def forward(self, X: Tensor) -> Tensor:
        return network.dense(load("mxnet"), X, self.weight.data(), self.bias.data())

    def __repr__(self) -> str:
        return f"Dense{self.weight.shape[::-1]}"


@util.use_np
class Part(gluon.Block):  # type: ignore[misc]
    """A layer of the network by itself."""

    def __init__(self, one: gluon.Block) -> None:
        super().__init__()
        self.one = one

    def forward(self, X: Tensor) -> Tensor:
        return self.one(X)


@util.use_np
class Activation(gluon.Block):  # type: ignore[misc]
    """A function of each element, correctly rounded."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = function

    def forward(self, X: Tensor) -> Tensor:
        return getattr(network, self.function)(load("mxnet"), X)

    def __repr__(self) -> str:
        return f"Activation({self.function!r})"


def _layer(one: Layer, made: Network) -> Any:
    method = made.options["method"]
    if one.kind == "conv":
        return Conv2D(**one.convolution, method=method)
    if one.kind == "dense":
        return Dense(one.shapes["weight"])
    if one.kind == "flatten":
        return nn.Flatten()
    if one.kind in ("avg", "max"):
        return Pool2D(2, mode=one.kind, method=method)
    return Activation(one.kind)


def _builtin(one: Layer, made: Network) -> Any:
    if one.kind == "conv":
        outputs, inputs = one.shapes["weight"][:2]
        return nn.Conv2D(outputs, 5, padding=one.padding, in_channels=inputs)
    if one.kind == "dense":
        outputs, inputs = one.shapes["weight"]
        return nn.Dense(outputs, in_units=inputs)
    if one.kind == "flatten":
        return nn.Flatten()
    if one.kind in ("avg", "max"):
        return nn.AvgPool2D(2) if one.kind == "avg" else nn.MaxPool2D(2)
    return nn.Activation(one.kind)


def parameters(net: LeNet) -> dict[str, FloatArray]:
    """Copies of the parameters by name, as the description has them."""
    return {name: to_numpy(p.data()) for name, p in _held(net).items()}


def assign(net: LeNet, values: Mapping[str, FloatArray]) -> None:
    """Give a network other parameters, as :func:`parameters` gives them."""
    with autograd.pause():  # what a caller records is not this
        for name, p in _held(net).items():
            p.set_data(tensor(values[name]))


@util.use_np  # type: ignore[untyped-decorator]
def outputs(net: LeNet, X: Tensor) -> list[Tensor]:
    """What each layer makes of images (n, 1, 28, 28), one after the other."""
    found = [X]
    for layer in net:
        found.append(layer(found[-1]))
    return found[1:]


def layer(net: LeNet, name: str) -> Operation:
    """What a layer computes, as a function of a tensor."""
    found: Operation = Part(net[[one.name for one in net.made.layers].index(name)])
    return found


@util.use_np  # type: ignore[untyped-decorator]
def pull(layer: Operation, X: Tensor, G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The gradients at a layer's input X, and by the parameters in it, for G at its output."""
    given, held = X.copy(), []
    given.attach_grad()
    if isinstance(layer, gluon.Block):
        held = [p.data() for p in layer.collect_params().values() if p.grad_req != "null"]
    with autograd.record():
        Y = layer(given)
    found = autograd.grad(Y, [given, *held], head_grads=G)
    dX, *others = [t.as_np_ndarray() for t in found]
    return dX, others


@util.use_np  # type: ignore[untyped-decorator]
def loss_gradients(
    net: LeNet, X: Tensor, labels: Any
) -> tuple[float, FloatArray, dict[str, FloatArray]]:
    """The mean cross-entropy, what it was computed of, and its gradients by the parameters."""
    loss, logits, found = scratch.gradients(net, _loss_of(net), X, labels)
    return loss, to_numpy(logits), dict(zip(_held(net), map(to_numpy, found), strict=True))


@util.use_np  # type: ignore[untyped-decorator]
def step(net: LeNet, X: Tensor, labels: Any, lr: float) -> tuple[float, FloatArray]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    with autograd.pause():
        loss, logits = scratch.train_step(net, _loss_of(net), X, labels, tensor(lr))
    return loss, to_numpy(logits)


def _loss_of(net: LeNet) -> scratch.Loss:
    if net.made.is_builtin:
        return _builtin_loss
    return partial(network.cross_entropy, load("mxnet"))


def _builtin_loss(logits: Tensor, labels: Any) -> Tensor:
    return gluon.loss.SoftmaxCrossEntropyLoss()(logits, np.array(labels)).mean()


def _held(net: LeNet) -> dict[str, gluon.Parameter]:
    return {
        f"{one.name}.{name}": getattr(layer, name)
        for one, layer in zip(net.made.layers, net, strict=True)
        for name in one.shapes
    }
