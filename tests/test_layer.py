"""Conv2D as a native layer: its values, gradients, training and saving, in every framework."""

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits, parameters

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import contract, reference, registry

rng = np.random.default_rng(0)
X = rng.standard_normal((9, 8), dtype=np.float32)
K = rng.standard_normal((3, 2), dtype=np.float32)
G = rng.standard_normal((7, 7), dtype=np.float32)


def test_the_layer_is_a_native_layer(d2l):
    layer = d2l.Conv2D((1, 2))
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(layer).__mro__}
    native = {
        "torch": "torch.nn.modules.module.Module",
        "tf": "keras.src.layers.layer.Layer",
        "mxnet": "mxnet.gluon.block.Block",
        "jax": "flax.linen.module.Module",
        "numpy": "builtins.object",
    }
    assert native[d2l.name] in bases


def test_the_layer_is_cross_correlation_plus_bias(d2l):
    layer = d2l.Conv2D((3, 2), weight=K, bias=0.1)
    expected = reference.corr2d(X, K) + np.float32(0.1)
    assert_same_bits(d2l.to_numpy(layer(d2l.tensor(X))), expected)


def test_the_layer_takes_lists_and_arrays(d2l):
    layer = d2l.Conv2D((1, 2), weight=[[1, -1]])
    expected = np.float32([[1, 0], [0, -2]])
    for image in ([[1, 0, 0], [1, 1, 3]], np.array([[1, 0, 0], [1, 1, 3]])):
        assert_same_bits(d2l.to_numpy(layer(image)), expected)


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_every_backend_starts_from_the_same_random_kernel(d2l, seed):
    layer = d2l.Conv2D((2, 3), seed=seed)
    initial = np.random.default_rng(seed).random((2, 3), dtype=np.float32)
    image = np.eye(4, 5, dtype=np.float32)
    assert_same_bits(d2l.to_numpy(layer(image)), reference.corr2d(image, initial))


def test_the_bias_starts_at_zero_and_can_be_left_out(framework):
    d2l = bind(framework)
    for bias, expected in [
        (None, {"weight", "bias"}),
        (2.5, {"weight", "bias"}),
        (False, {"weight"}),
    ]:
        layer = d2l.Conv2D((1, 2), bias=bias)
        found = parameters(framework, layer, d2l.tensor(X))
        assert set(found) == expected
        if "bias" in expected:
            assert_same_bits(found["bias"], np.float32([bias or 0]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_gradients_of_the_layer_have_the_same_bits_in_every_backend(backend, d2l, dtype):
    image, kernel, gradient = (a.astype(dtype) for a in (X, K, G))
    layer = d2l.Conv2D((3, 2), weight=kernel, bias=0.5)
    found = registry.load(backend).layers.gradients(layer, d2l.tensor(image), d2l.tensor(gradient))
    expected = {
        "image": reference.image_gradient(kernel, gradient),
        "weight": reference.kernel_gradient(image, gradient),
        "bias": contract.bias_gradient(gradient[None, None]),
    }
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert_same_bits(d2l.to_numpy(found[name]), value, name)


def test_a_layer_without_bias_has_two_gradients(backend, d2l):
    layer = d2l.Conv2D((3, 2), weight=K, bias=False)
    found = registry.load(backend).layers.gradients(layer, d2l.tensor(X), d2l.tensor(G))
    assert set(found) == {"image", "weight"}


def test_a_layer_keeps_the_backend_it_was_born_with(d2l):
    layer = d2l.Conv2D((1, 2), weight=[[1, -1]])
    with dc.backend("numpy"):
        result = layer([[1, 0, 0]])
    assert type(result) is type(d2l.corr2d([[1, 0, 0]], [[1, -1]]))


def test_a_native_weight_chooses_the_backend(framework):
    d2l = bind(framework)
    weight = d2l.tensor(K)
    layer = dc.Conv2D((3, 2), weight=weight)
    assert isinstance(layer, d2l.Conv2D)
    assert_same_bits(d2l.to_numpy(layer(X)), reference.corr2d(X, K))


# Training with the framework's own optimiser, on the lesson's edges.

IMAGE = dc.numpy.edge_image()
EDGES = dc.numpy.corr2d(IMAGE, [[1, -1]])
START = np.float32([[0.25, 0.5]])


def learned(steps):
    """The kernel and bias that plain gradient descent reaches, by the contract's arithmetic."""
    weight, bias, rate = START.copy(), np.float32([0]), np.float32(0.01)
    for _ in range(steps):
        D = reference.corr2d(IMAGE, weight) + bias - EDGES
        weight = weight - rate * reference.kernel_gradient(IMAGE, D + D)
        bias = bias - rate * contract.tree_sum((D + D).ravel())
    return weight, bias


def check_training(weight, bias):
    expected_weight, expected_bias = learned(20)
    assert abs(expected_weight - [[1, -1]]).max() < 0.2  # it did learn
    # The framework sums the loss in its own order, and may fuse the update: hence no bits here,
    # but u = 2**-24 per operation, and fewer than 100 operations on numbers below 8 a step.
    limit = 20 * 100 * 8 * 2.0**-24
    assert abs(weight - expected_weight).max() <= limit
    assert abs(bias - expected_bias).max() <= limit


def test_torch_trains_the_layer_with_its_own_optimiser():
    d2l = bind(demand("torch"))
    import torch

    layer = d2l.Conv2D((1, 2), weight=START)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.01)
    image, edges = d2l.tensor(IMAGE), d2l.tensor(EDGES)
    for _ in range(20):
        optimiser.zero_grad()
        ((layer(image) - edges) ** 2).sum().backward()
        optimiser.step()
    check_training(layer.weight.detach().numpy(), layer.bias.detach().numpy())


@pytest.mark.parametrize("by", ["gradient tape", "fit"])
def test_keras_trains_the_layer_with_its_own_optimiser(by):
    d2l = bind(demand("tf"))
    import keras
    import tensorflow as tf

    layer = d2l.Conv2D((1, 2), weight=START)
    optimiser = keras.optimizers.SGD(learning_rate=0.01)
    image, edges = d2l.tensor(IMAGE), d2l.tensor(EDGES)
    if by == "fit":  # one "batch" of six rows: Keras takes the first axis for the batch
        model = keras.Sequential([keras.Input(batch_shape=(6, 8)), layer])
        model.compile(optimiser, loss=lambda y, p: tf.reduce_sum((y - p) ** 2))
        model.fit(image, edges, epochs=20, batch_size=6, shuffle=False, verbose=0)
    else:
        for _ in range(20):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((layer(image) - edges) ** 2)
            gradients = tape.gradient(loss, layer.trainable_variables)
            optimiser.apply_gradients(zip(gradients, layer.trainable_variables, strict=True))
    check_training(layer.weight.numpy(), layer.bias.numpy())


@pytest.mark.parametrize("wait", [False, True], ids=["at once", "after waiting"])
def test_gluon_trains_the_layer_with_its_own_trainer(wait):
    """At once: an update that waits for a gradient must not be what the gradient waits for."""
    d2l = bind(demand("mxnet"))
    from mxnet import autograd, gluon

    layer = d2l.Conv2D((1, 2), weight=START)
    trainer = gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 0.01})
    image, edges = d2l.tensor(IMAGE), d2l.tensor(EDGES)
    for _ in range(20):
        with autograd.record():
            loss = ((layer(image) - edges) ** 2).sum()
        loss.backward()
        if wait:
            layer.weight.grad().wait_to_read()
        trainer.step(1)
    check_training(layer.weight.data().asnumpy(), layer.bias.data().asnumpy())


def test_optax_trains_the_layer():
    d2l = bind(demand("jax"))
    import jax
    import optax

    layer = d2l.Conv2D((1, 2), weight=START)
    image, edges = d2l.tensor(IMAGE), d2l.tensor(EDGES)
    params = layer.init(jax.random.key(0), image)
    optimiser = optax.sgd(0.01)
    state = optimiser.init(params)

    @jax.jit
    def step(params, state):
        gradients = jax.grad(lambda p: ((layer.apply(p, image) - edges) ** 2).sum())(params)
        updates, state = optimiser.update(gradients, state)
        return optax.apply_updates(params, updates), state

    for _ in range(20):
        params, state = step(params, state)
    check_training(np.asarray(params["params"]["weight"]), np.asarray(params["params"]["bias"]))


# Saving and loading the framework's own way.

TRAINED = {"weight": np.float32([[3.5, -1.25]]), "bias": np.float32([0.75])}


def trained(d2l, **changes):
    return d2l.Conv2D((1, 2), weight=TRAINED["weight"], bias=0.75, **changes)


def check_loaded(d2l, layer):
    expected = reference.corr2d(IMAGE, TRAINED["weight"]) + TRAINED["bias"]
    assert_same_bits(d2l.to_numpy(layer(IMAGE)), expected)


def test_torch_saves_and_loads_the_layer(tmp_path):
    d2l = bind(demand("torch"))
    import torch

    torch.save(trained(d2l).state_dict(), tmp_path / "layer.pt")
    layer = d2l.Conv2D((1, 2), seed=5)
    layer.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    check_loaded(d2l, layer)


def test_keras_saves_and_loads_the_layer(tmp_path):
    d2l = bind(demand("tf"))
    import keras

    model = keras.Sequential([keras.Input(batch_shape=(6, 8)), trained(d2l)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    check_loaded(d2l, loaded.layers[-1])
    model.save_weights(tmp_path / "layer.weights.h5")
    other = keras.Sequential([keras.Input(batch_shape=(6, 8)), d2l.Conv2D((1, 2), seed=5)])
    other.load_weights(tmp_path / "layer.weights.h5")
    check_loaded(d2l, other.layers[-1])


@pytest.mark.parametrize("bias", [None, False], ids=["bias", "no bias"])
def test_keras_rebuilds_the_layer_from_its_configuration(bias):
    d2l = bind(demand("tf"))
    layer = d2l.Conv2D((2, 3), bias=bias, name="edges")
    again = type(layer).from_config(layer.get_config())
    assert tuple(again.weight.shape) == (2, 3)
    assert again.name == "edges"
    assert (again.bias is None) == (bias is False)


def test_gluon_saves_and_loads_the_layer(tmp_path):
    d2l = bind(demand("mxnet"))
    trained(d2l).save_parameters(str(tmp_path / "layer.params"))
    layer = d2l.Conv2D((1, 2), seed=5)
    layer.load_parameters(str(tmp_path / "layer.params"))
    check_loaded(d2l, layer)


def test_gluon_can_initialize_the_layer_again():
    d2l = bind(demand("mxnet"))
    layer = trained(d2l)
    layer.weight.set_data(layer.weight.data() * 0)
    layer.initialize(force_reinit=True)
    check_loaded(d2l, layer)


def test_flax_saves_and_loads_the_layer():
    d2l = bind(demand("jax"))
    import jax
    from flax import serialization

    params = trained(d2l).init(jax.random.key(0), d2l.tensor(IMAGE))
    stored = serialization.to_bytes(params)
    layer = d2l.Conv2D((1, 2), seed=5)
    empty = layer.init(jax.random.key(0), d2l.tensor(IMAGE))
    loaded = serialization.from_bytes(empty, stored)
    check_loaded(d2l, layer.bind(loaded))


def test_flax_layers_can_be_jitted_compared_and_nested():
    d2l = bind(demand("jax"))
    import jax
    from flax import linen as nn

    layer = trained(d2l)
    image = d2l.tensor(IMAGE)
    params = layer.init(jax.random.key(0), image)
    assert_same_bits(np.asarray(jax.jit(layer.apply)(params, image)), np.asarray(layer(image)))
    assert layer == trained(d2l)
    assert hash(layer) == hash(trained(d2l))
    assert layer != d2l.Conv2D((1, 2), seed=5)
    stack = nn.Sequential([trained(d2l), d2l.Conv2D((2, 2), seed=1)])
    variables = stack.init(jax.random.key(0), image)
    assert stack.apply(variables, image).shape == (5, 6)
    assert len(jax.tree.leaves(variables)) == 4


def test_torch_layers_can_be_nested_and_copied():
    d2l = bind(demand("torch"))
    import copy

    import torch

    stack = torch.nn.Sequential(trained(d2l), d2l.Conv2D((2, 2), seed=1))
    assert stack(d2l.tensor(IMAGE)).shape == (5, 6)
    assert len(list(stack.parameters())) == 4
    check_loaded(d2l, copy.deepcopy(stack[0]))
