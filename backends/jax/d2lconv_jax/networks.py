"""LeNet in JAX: a Flax module, trained by ``jax.value_and_grad``."""

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array as Tensor

from d2lconv.core import network
from d2lconv.core.contract import FloatArray
from d2lconv.core.derivatives import Operation
from d2lconv.core.lenet import Layer, Network
from d2lconv.core.registry import load
from d2lconv_jax import scratch
from d2lconv_jax.autodiff import vjp
from d2lconv_jax.layers import Conv2D, Pool2D
from d2lconv_jax.tensors import tensor, to_numpy


class Held:
    """The parameters that a network has learned so far: Flax keeps none in its modules."""

    def __init__(self, values: Any) -> None:
        self.values = values


class LeNet(nn.Module):
    """The network that a description says.

    As with every Flax module, ``init`` gives parameters and ``apply`` takes them. Called without,
    the network answers with those in ``held.values``, which training replaces.
    """

    made: Network
    held: Held = field(default_factory=lambda: Held({}))

    def __post_init__(self) -> None:
        if not self.held.values:
            assign(self, self.made.start)
        super().__post_init__()

    def __call__(self, X: Tensor) -> Tensor:
        if self.scope is None:
            Y: Any = self.apply(self.held.values, X)
            return Y
        return self.forward(X)[-1]

    @nn.compact
    def forward(self, X: Tensor) -> list[Tensor]:
        found = [X]
        for one in self.made.layers:
            found.append(_made(one, self.made, found[-1]))
        return found[1:]

    def summary(self) -> None:
        """Print the shapes after each layer, and the number of parameters."""
        print(self.made)


class Dense(nn.Module):
    """A fully connected layer with weights (o, i) and a bias (o,), correctly rounded."""

    weight: Any
    bias: Any

    @nn.compact
    def __call__(self, X: Tensor) -> Tensor:
        weight, bias = self.param("weight", self.weight), self.param("bias", self.bias)
        Y: Tensor = network.dense(load("jax"), X, weight, bias)
        return Y


class Part(nn.Module):
    """A layer of the network by itself."""

    one: Layer
    made: Network

    @nn.compact
    def __call__(self, X: Tensor) -> Tensor:
        return _made(self.one, self.made, X)


def _made(one: Layer, made: Network, X: Tensor) -> Tensor:
    return (_builtin if made.is_builtin else _layer)(one, made, X)


def _layer(one: Layer, made: Network, X: Tensor) -> Tensor:
    values: Any = made.values(one)
    method = made.options["method"]
    if one.kind == "conv":
        return Conv2D(**one.convolution, **values, method=method, name=one.name)(X)
    if one.kind == "dense":
        return Dense(**{name: _giving(v) for name, v in values.items()}, name=one.name)(X)
    if one.kind == "flatten":
        return X.reshape(len(X), -1)
    if one.kind in ("avg", "max"):
        return Pool2D(2, mode=one.kind, method=method)(X)
    Y: Tensor = getattr(network, one.kind)(load("jax"), X)
    return Y


def _builtin(one: Layer, made: Network, X: Tensor) -> Tensor:
    """The same of Flax's own layers, which have the channels last."""
    values = made.values(one)
    if one.kind in ("conv", "dense"):
        options: Any = {"kernel_init": _giving(values["weight"].T), "name": one.name}
        options["bias_init"] = _giving(values["bias"])
    if one.kind == "dense":
        return nn.Dense(one.output[0], **options)(X)
    if one.kind == "conv":
        options["kernel_init"] = _giving(values["weight"].transpose(2, 3, 1, 0))
        Y = nn.Conv(one.output[0], (5, 5), padding=one.padding, **options)(_last(X))
        return _first(Y)
    if one.kind == "flatten":
        return X.reshape(len(X), -1)
    if one.kind in ("avg", "max"):
        pool = nn.avg_pool if one.kind == "avg" else nn.max_pool
        return _first(pool(_last(X), (2, 2), strides=(2, 2)))
    function: Any = getattr(nn, one.kind)
    return function(X)


def _last(X: Tensor) -> Tensor:
    return X.transpose(0, 2, 3, 1)


def _first(X: Tensor) -> Tensor:
    return X.transpose(0, 3, 1, 2)


def _giving(value: FloatArray) -> Any:
    """An initialiser that gives these values."""
    return lambda *_: tensor(value)


def parameters(net: LeNet) -> dict[str, FloatArray]:
    """Copies of the parameters by name, as the description has them."""
    return _named(net, net.held.values)


def assign(net: LeNet, values: Mapping[str, FloatArray]) -> None:
    """Give a network other parameters, as :func:`parameters` gives them."""
    found: dict[str, dict[str, Tensor]] = {}
    for name in net.made.shapes:
        layer, _, kind = name.partition(".")
        value = tensor(values[name])
        if net.made.is_builtin and kind == "weight":  # (kh, kw, c, o) and (i, o)
            kind, value = "kernel", value.T if value.ndim == 2 else value.transpose(2, 3, 1, 0)
        found.setdefault(layer, {})[kind] = value
    net.held.values = {"params": found}


def outputs(net: LeNet, X: Tensor) -> list[Tensor]:
    """What each layer makes of images (n, 1, 28, 28), one after the other."""
    found: Any = net.apply(net.held.values, X, method="forward")
    return found


def layer(net: LeNet, name: str) -> Operation:
    """What a layer computes, as a function of a tensor."""
    (one,) = (one for one in net.made.layers if one.name == name)
    held = net.held.values["params"]
    values = {"params": {name: held[name]}} if one.shapes else {}
    part: Operation = Part(one, net.made).bind(values)
    return part


def pull(layer: Operation, X: Tensor, G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The gradients at a layer's input X, and by the parameters in it, for G at its output."""
    if not isinstance(layer, nn.Module) or layer.scope is None:
        return vjp(layer, [X], G)[1][0], []
    values: Any
    module, values = layer.unbind()
    found, dX = vjp(module.apply, [values, X], G)[1]
    return dX, jax.tree.leaves(found)


def loss_gradients(
    net: LeNet, X: Tensor, labels: Any
) -> tuple[float, FloatArray, dict[str, FloatArray]]:
    """The mean cross-entropy, what it was computed of, and its gradients by the parameters."""
    values, loss_of = net.held.values, _loss_of(net)
    (loss, logits), found = _differentiate(net)(values, net, loss_of, X, labels)
    return loss.item(), to_numpy(logits), _named(net, found)


def step(net: LeNet, X: Tensor, labels: Any, lr: float) -> tuple[float, FloatArray]:
    """A step of stochastic gradient descent; gives the loss and the logits before it."""
    net.held.values, loss, logits = scratch.train_step(
        net.held.values, net, _loss_of(net), X, labels, tensor(lr), _differentiate(net)
    )
    return loss, to_numpy(logits)


def _differentiate(net: LeNet) -> Callable[..., Any]:
    """Compiled, as people run it, for Flax's layers; ours are on the host, and gain nothing."""
    return _compiled if net.made.is_builtin else scratch.gradients


_compiled = jax.jit(scratch.gradients, static_argnums=(1, 2))


def _loss_of(net: LeNet) -> scratch.Loss:
    if net.made.is_builtin:
        return _builtin_loss
    return partial(network.cross_entropy, load("jax"))


def _builtin_loss(logits: Tensor, labels: Any) -> Tensor:
    return -jnp.take_along_axis(nn.log_softmax(logits), labels[:, None], 1).mean()


def _named(net: LeNet, values: Any) -> dict[str, FloatArray]:
    """Parameters or their gradients by name, as the description has them."""
    found = {}
    for name in net.made.shapes:
        layer, _, kind = name.partition(".")
        builtin = net.made.is_builtin and kind == "weight"
        value = to_numpy(values["params"][layer]["kernel" if builtin else kind])
        if builtin:
            value = (value.T if value.ndim == 2 else value.transpose(3, 2, 0, 1)).copy()
        found[name] = value
    return found
