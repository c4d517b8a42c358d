"""LeNet in PyTorch: an ``nn.Sequential``, trained by its autograd."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from d2lconv.core import network
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.derivatives import Operation
from d2lconv.core.lenet import Layer, Network
from d2lconv.core.registry import load
from d2lconv.errors import ArgumentError
from d2lconv_torch import scratch
from d2lconv_torch.layers import Conv2D, Pool2D
from d2lconv_torch.tensors import recorded, tensor, to_numpy, without_autocast

# As our tensors are, whatever torch.set_default_dtype and torch.set_default_device say.
PLAIN: Any = {"dtype": torch.float32, "device": "cpu"}


class LeNet(nn.Sequential):
    """The network that a description says."""

    @torch.inference_mode(False)  # parameters of inference mode cannot be trained
    def __init__(self, made: Network) -> None:
        make = _builtin if made.is_builtin else _layer
        super().__init__(OrderedDict((one.name, make(one, made)) for one in made.layers))
        self.made = made
        assign(self, made.start)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):  # a part of it is no LeNet, and is not made as one
            return nn.Sequential(OrderedDict(list(self.named_children())[index]))
        return super().__getitem__(index)

    def summary(self) -> None:
        """Print the shapes after each layer, and the number of parameters."""
        print(self.made)


class Dense(nn.Linear):
    """A fully connected layer with weights (o, i) and a bias (o,), correctly rounded."""

    def forward(self, X: Tensor) -> Tensor:
        Y: Tensor = network.dense(load("torch"), X, self.weight, self.bias)
        return Y


class Part(nn.Module):
    """A layer of the network by itself, whatever torch.autocast says."""

    def __init__(self, one: nn.Module) -> None:
        super().__init__()
        self.one = one

    def forward(self, X: Tensor) -> Any:
        with without_autocast(X):
            return self.one(X)


class Activation(nn.Module):
    """A function of each element, correctly rounded."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = function

    def forward(self, X: Tensor) -> Tensor:
        Y: Tensor = getattr(network, self.function)(load("torch"), X)
        return Y

    def extra_repr(self) -> str:
        return repr(self.function)


def _layer(one: Layer, made: Network) -> nn.Module:
    method = made.options["method"]
    if one.kind == "conv":
        return Conv2D(**one.convolution, method=method)
    if one.kind == "dense":
        outputs, inputs = one.shapes["weight"]
        return Dense(inputs, outputs, **PLAIN)
    if one.kind == "flatten":
        return nn.Flatten()
    if one.kind in ("avg", "max"):
        return Pool2D(2, mode=one.kind, method=method)
    return Activation(one.kind)


def _builtin(one: Layer, made: Network) -> nn.Module:
    if one.kind == "conv":
        outputs, inputs, kh, kw = one.shapes["weight"]
        return nn.Conv2d(inputs, outputs, (kh, kw), padding=one.padding, **PLAIN)
    if one.kind == "dense":
        outputs, inputs = one.shapes["weight"]
        return nn.Linear(inputs, outputs, **PLAIN)
    if one.kind == "flatten":
        return nn.Flatten()
    if one.kind in ("avg", "max"):
        return nn.AvgPool2d(2) if one.kind == "avg" else nn.MaxPool2d(2)
    return {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[one.kind]()


def parameters(net: LeNet) -> dict[str, FloatArray]:
    """Copies of the parameters by name, as the description has them."""
    return {name: detached(p, name) for name, p in net.named_parameters()}


def assign(net: LeNet, values: Mapping[str, FloatArray]) -> None:
    """Give a network other parameters, as :func:`parameters` gives them."""
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(tensor(values[name]))


def outputs(net: LeNet, X: Tensor) -> list[Tensor]:
    """What each layer makes of images (n, 1, 28, 28), one after the other."""
    found = [X]
    with torch.no_grad():
        for name, _ in net.named_children():
            found.append(layer(net, name)(found[-1]))
    return found[1:]


def layer(net: LeNet, name: str) -> Operation:
    """What a layer computes, as a function of a tensor."""
    return Part(net.get_submodule(name))


@recorded
def pull(layer: Operation, X: Tensor, G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The gradients at a layer's input X, and by the parameters in it, for G at its output."""
    given = X.detach().clone().requires_grad_()
    held = list(layer.parameters()) if isinstance(layer, nn.Module) else []
    learned = [p for p in held if p.requires_grad]
    dX, *found = torch.autograd.grad(layer(given), [given, *learned], G, materialize_grads=True)
    return dX, found


@recorded
def loss_gradients(
    net: LeNet, X: Tensor, labels: Any
) -> tuple[float, FloatArray, dict[str, FloatArray]]:
    """The mean cross-entropy, what it was computed of, and its gradients by the parameters."""
    _check_learned(net)
    with without_autocast(X):
        loss, logits, found = scratch.gradients(net, _loss_of(net), X.clone(), labels)
    names = [name for name, _ in net.named_parameters()]
    return loss, to_numpy(logits), dict(zip(names, map(to_numpy, found), strict=True))


@recorded
def step(net: LeNet, X: Tensor, labels: Any, lr: float) -> tuple[float, FloatArray]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    _check_learned(net)
    with without_autocast(X):
        loss, logits = scratch.train_step(net, _loss_of(net), X.clone(), labels, tensor(lr))
    return loss, to_numpy(logits)


def _check_learned(net: LeNet) -> None:
    """Check that gradients are there for all parameters."""
    for name, p in net.named_parameters():
        if not p.requires_grad:
            raise ArgumentError(
                f"{name} is frozen: it requires no gradient, and all parameters are learned. Call "
                "net.requires_grad_()."
            )


def _loss_of(net: LeNet) -> scratch.Loss:
    if net.made.is_builtin:
        return _builtin_loss
    return partial(network.cross_entropy, load("torch"))


def _builtin_loss(logits: Tensor, labels: Any) -> Tensor:
    return functional.cross_entropy(logits, torch.from_numpy(labels))
