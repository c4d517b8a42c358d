"""Walking two networks layer by layer: what is right passes, and planted mistakes are found."""

import numpy as np
import pytest
from chosen import demand

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.parity import trace
from d2lconv.training import owner

NAMES = [one.name for one in dc.numpy.LeNet().made.layers]


@pytest.fixture(scope="module")
def few():
    images, labels = dc.numpy.digits()
    return images[:4], labels[:4]


def test_networks_of_ours_have_the_same_bits_at_every_step(framework, few):
    for options in ({}, {"activation": "relu", "pool": "max"}):
        found = trace(bind(framework).LeNet(**options), dc.numpy.LeNet(**options), *few)
        assert found.first is None
        assert {one.comparison.verdict for one in found.steps} == {"identical"}
        assert (
            len(found.steps) == 10 + 12 + 12 + 10
        )  # parameters, outputs, gradients at inputs, by parameters
        assert found.note == ""


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("pool", ["avg", "max"])
def test_the_frameworks_own_layers_differ_by_rounding_alone(framework, few, activation, pool):
    options = {"activation": activation, "pool": pool}
    net = bind(framework).LeNet(**options, layer="builtin")
    found = trace(dc.numpy.LeNet(**options), net, *few)
    assert found.first is None, str(found)
    assert "rounding" in {one.comparison.verdict for one in found.steps}
    assert str(found).endswith("Rounding explains every difference.")


def test_other_parameters_are_named_first(d2l, few):
    net = d2l.LeNet()
    values = owner(net).parameters(net)
    values["conv2.bias"][3] += 1
    owner(net).assign(net, values)
    found = trace(dc.numpy.LeNet(), net, *few)
    assert found.first.name == "conv2.bias"
    assert found.first.cause == "the networks have other parameters"


def port(**options):
    """LeNet as a user of PyTorch may have written it, layer by layer."""
    demand("torch")
    return list(bind("torch").LeNet(layer="builtin", **options).children())


def differentiated(layer, change):
    """A PyTorch layer with a gradient by its weight or bias that is changed on its way back."""

    class Changed(torch().nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = layer
            for name, p in layer.named_parameters():
                p.register_hook(lambda G, name=name: change(name, G))

        def forward(self, X):
            return self.inner(X)

    return Changed()


def torch():
    import torch

    return torch


def strict_convolution(layers):
    layers[0].weight.data = layers[0].weight.data.flip(2, 3)


def without_bias(layers):
    layers[7].bias = None


def channels_last(layers):
    layers[6] = lambda X: X.permute(0, 2, 3, 1).reshape(len(X), -1)


def maxima(layers):
    layers[2] = torch().nn.MaxPool2d(2)


def other_function(layers):
    layers[4] = torch().tanh


def no_padding(layers):
    layers[0].padding = (0, 0)


def keras_order(layers):
    weight = layers[7].weight.data
    layers[7].weight.data = weight.reshape(120, 16, 5, 5).permute(0, 2, 3, 1).reshape(120, 400)


def cut_off(layers):
    layers[8] = lambda X: torch().sigmoid(X.detach()) + 0 * X


def straight_through(layers):
    layers[4] = lambda X: X + (torch().sigmoid(X) - X).detach()


def twice(layers):
    whole = layers[9]
    layers[9] = lambda X: whole(X) + (lambda Y: Y - Y.detach())(whole(X))


def raising(layers):
    layers[5] = torch().nn.Linear(3, 4)


def not_wide(layers):
    layers[3] = lambda X, conv=layers[3]: conv(X.half().float())


def mean_for_sum(layers):
    count = 4 * 28 * 28  # images and places
    layers[0] = differentiated(layers[0], lambda name, G: G / count if name == "bias" else G)


def flipped_gradient(layers):
    layers[3] = differentiated(layers[3], lambda name, G: G.flip(2, 3) if G.ndim == 4 else G)


def mean_over_the_batch(layers):
    layers[9] = differentiated(layers[9], lambda name, G: G / 4 if name == "weight" else G)


def no_gradient_of_the_bias(layers):
    layers[11] = differentiated(layers[11], lambda name, G: G * 0 if name == "bias" else G)


def truncated_weight(layers):
    """A gradient by a layer whose input was rounded to bfloat16 before the product."""
    layer = layers[7]

    def backward(X, G):
        narrow = X.bfloat16().float()
        return G @ layer.weight.detach(), G.T @ narrow, G.sum(0)

    layers[7] = (lambda X: layer(X).detach(), backward)


MISTAKES = {
    mean_for_sum: ("conv1.bias, gradient", "the mean for the sum"),
    flipped_gradient: ("conv2.weight, gradient", "a gradient flipped in both axes"),
    mean_over_the_batch: ("dense2.weight, gradient", "the mean over the batch for the sum"),
    no_gradient_of_the_bias: ("dense3.bias, gradient", "no gradient comes back"),
    truncated_weight: ("dense1.weight, gradient", "X rounded to bfloat16"),
    strict_convolution: ("conv1", "flipped"),
    without_bias: ("dense1", "no bias"),
    channels_last: ("flatten", "(row, column, channel)"),
    maxima: ("pool1", "maxima"),
    other_function: ("activation2", "tanh"),
    no_padding: ("conv1", "no padding"),
    keras_order: ("dense1", "(row, column, channel)"),
    cut_off: ("activation3, gradient at its input", "no gradient comes back"),
    straight_through: ("activation2, gradient at its input", "its derivative is taken for 1"),
    twice: ("dense2, gradient at its input", "a factor of 2"),
    raising: ("pool2", "does not compute"),
    not_wide: ("conv2", "X rounded to TF32"),  # whose significands float16 has
}


def with_bias():
    """A network and a port of it, whose first dense layer has a bias that would be missed."""
    layers = port()
    layers[7].bias.data += 0.1
    net = bind("numpy").LeNet()
    values = owner(net).parameters(net)
    values["dense1.bias"] += np.float32(0.1)
    owner(net).assign(net, values)
    return net, layers


def test_a_port_without_a_mistake_has_none(few):
    found = trace(*with_bias(), *few)
    assert (found.first, found.note) == (None, "")


@pytest.mark.parametrize("plant", MISTAKES, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_is_found_with_its_cause(few, plant):
    net, layers = with_bias()
    plant(layers)
    first = trace(net, layers, *few).first
    name, words = MISTAKES[plant]
    assert first.name == name
    assert words in first.cause
    assert str(first).startswith((f"{name}: bug", f"{name}: imprecise"))
    assert str(first).count(first.cause or "nothing") == bool(first.cause)  # it is told once


def test_a_port_of_plain_functions_of_numpy_is_walked_forward(few):
    net = dc.numpy.LeNet()
    found = trace(net, [lambda X, layer=layer: layer(X) for layer in net.layers.values()], *few)
    assert found.first is None
    assert len(found.steps) == 12
    assert "gradients were not walked" in str(found)
    assert "conv1.weight, gradient; conv1.bias, gradient; conv1, gradient at its input." in str(
        found
    )


def by_hand(net):
    """LeNet in NumPy with its gradients written by hand, a pair a layer."""
    pull = owner(net).pull
    return [
        (lambda X, layer=layer: layer(X), lambda X, G, layer=layer: flat(*pull(layer, X, G)))
        for layer in net.layers.values()
    ]


def flat(dX, of_parameters):
    return (dX, *of_parameters)


def test_gradients_that_are_written_by_hand_are_walked(few):
    net = dc.numpy.LeNet()
    found = trace(net, by_hand(net), *few)
    assert (found.first, found.note, len(found.steps)) == (None, "", 12 + 12 + 10)

    port = by_hand(net)
    call, backward = port[3]
    port[3] = call, lambda X, G: backward(X, G)[0]  # those by the parameters are not given
    found = trace(net, port, *few)
    assert found.first is None
    assert found.note.endswith("them: conv2.weight, gradient; conv2.bias, gradient.")

    port[3] = call, lambda X, G: (*backward(X, G)[:2], G.sum(2).sum(2))  # not over the batch
    first = trace(net, port, *few).first
    assert first.name == "conv2.bias, gradient"
    assert "(4, 16) is not (16,)" in str(first)

    port[3] = call, lambda X, G: (*backward(X, G), G)
    assert "backward gives 4 gradients; conv2 has" in str(trace(net, port, *few).first)


def test_native_layers_give_the_gradients_of_their_parameters(framework, few):
    """As each framework has them, whatever the layout; a wrong one is named."""
    net = bind(framework).LeNet(activation="relu", layer="builtin")
    native = owner(net)
    layers = [native.layer(net, name) for name in NAMES]
    right = dc.numpy.LeNet(activation="relu")
    found = trace(right, layers, *few)
    assert (found.first, found.note, len(found.steps)) == (None, "", 12 + 12 + 10)

    def backward(X, G, layer=layers[0]):
        dX, (weight, bias) = native.pull(layer, X, G)
        return dX, weight, bias * 2

    if framework != "jax":  # whose gradients come in the order of their names
        layers[0] = layers[0], backward
        first = trace(right, layers, *few).first
        assert (first.name, first.cause) == ("conv1.bias, gradient", "a factor of 2")


def test_what_is_no_port_is_refused(few):
    net = dc.numpy.LeNet()
    with pytest.raises(dc.ArgumentError, match=r"11 of them.*list of 12 functions"):
        trace(net, list(net.layers.values())[1:], *few)
    with pytest.raises(dc.ArgumentError, match="net_b is a int"):
        trace(net, 3, *few)
    with pytest.raises(dc.ArgumentError, match=r"or pairs \(function, backward\)"):
        trace(net, [(np.tanh, 3)] * 12, *few)
    with pytest.raises(dc.ArgumentError, match="must be a network that dc"):
        trace(3, net, *few)
    with pytest.raises(dc.ShapeError, match="images"):
        trace(net, net, few[0][:, 0], few[1])
