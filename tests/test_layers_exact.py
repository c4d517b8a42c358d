"""The promise for layers: channels, batches, strides, padding, dilation and groups.

The NumPy backend is held against the contract, which is written out on scalars, and every
framework against the NumPy backend.
"""

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits, vjp
from geometries import DTYPES, geometries, geometry_of, values, windows
from hypothesis import given
from hypothesis import strategies as st

from d2lconv.binding import bind
from d2lconv.core import contract, reference, registry
from d2lconv.core.geometry import lifted

KINDS = ("normal", "range", "special", "integers")
quiet = pytest.mark.filterwarnings(
    "ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning"
)


def operands(found, dtype, kind, seed):
    """X, K and G of a drawn geometry."""
    X, K, options = found
    rng = np.random.default_rng(seed)
    checked, _ = geometry_of(X, K, options)
    Y = reference.corr2d(np.zeros(X), np.zeros(K), *checked)
    return [values(rng, shape, dtype, kind) for shape in (X, K, Y.shape)]


@quiet
@given(geometries(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99))
def test_numpy_computes_what_the_contract_says(found, dtype, kind, seed):
    X, K, G = operands(found, dtype, kind, seed)
    options, geometry = geometry_of(*found)
    X4, K4 = X.reshape(lifted(X.shape)), K.reshape(lifted(K.shape))
    G4 = G.reshape(len(X4), *geometry.shape[1:])
    Y = reference.corr2d(X, K, *options)
    assert_same_bits(Y, contract.corr2d(X4, K4, geometry).reshape(Y.shape), "Y")
    dX = reference.image_gradient(K, G, X.shape, *options)
    assert_same_bits(dX, contract.image_gradient(K4, G4, geometry).reshape(X.shape), "dX")
    dK = reference.kernel_gradient(X, G, K.shape, *options)
    assert_same_bits(dK, contract.kernel_gradient(X4, G4, geometry).reshape(K.shape), "dK")
    summed = registry.load("numpy").methods.add_bias  # its gradient is the layer's
    assert_same_bits(
        summed(np.zeros_like(G4), np.ones(G4.shape[1], G.dtype)), np.ones_like(G4), "bias"
    )


@given(geometries(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99))
def test_every_framework_has_the_same_bits(framework, found, dtype, kind, seed):
    X, K, G = operands(found, dtype, kind, seed)
    options, _ = geometry_of(*found)
    d2l = bind(framework)

    def function(X, K):
        return d2l.corr2d(X, K, **found[2])

    Y, (dX, dK) = vjp(framework, function, [d2l.tensor(X), d2l.tensor(K)], d2l.tensor(G))
    assert_same_bits(d2l.to_numpy(Y), reference.corr2d(X, K, *options), "Y")
    assert_same_bits(d2l.to_numpy(dX), reference.image_gradient(K, G, X.shape, *options), "dX")
    assert_same_bits(d2l.to_numpy(dK), reference.kernel_gradient(X, G, K.shape, *options), "dK")


@given(
    geometries(ranks=((4, 4),)),
    st.sampled_from(("float32", "float64")),
    st.integers(0, 99),
)
def test_second_gradients_have_the_same_bits(framework, found, dtype, seed):
    if framework == "mxnet":
        return  # it differentiates once, and test_layers says so
    X, K, G = operands(found, dtype, "normal", seed)
    P, V = operands(found, dtype, "normal", seed + 1)[:2]  # as gradients at dX and dK
    options, geometry = geometry_of(*found)
    d2l, method = bind(framework), registry.load(framework).methods.METHODS["exact"]
    tensor = d2l.tensor
    _, (of_K, of_G) = vjp(
        framework,
        lambda K, G: method.image_gradient(K, G, geometry),
        [tensor(K), tensor(G)],
        tensor(P),
    )
    assert_same_bits(d2l.to_numpy(of_K), reference.kernel_gradient(P, G, K.shape, *options), "K")
    assert_same_bits(d2l.to_numpy(of_G), reference.corr2d(P, K, *options), "G")
    _, (of_X, of_G) = vjp(
        framework,
        lambda X, G: method.kernel_gradient(X, G, geometry),
        [tensor(X), tensor(G)],
        tensor(V),
    )
    assert_same_bits(d2l.to_numpy(of_X), reference.image_gradient(V, G, X.shape, *options), "X")
    assert_same_bits(d2l.to_numpy(of_G), reference.corr2d(X, V, *options), "G")


def pooled(X, G, size, options):
    """What the contract says of a pooling: the result, and the gradient for G if there is one."""
    from d2lconv.core.geometry import pooling

    geometry, _ = pooling(X.shape, size, options["stride"], options["padding"])
    X4 = X.reshape(lifted(X.shape))
    counts = contract.counts(geometry, options.get("count_include_pad", False)).astype(X.dtype)
    if options["mode"] == "max":
        Y, _ = contract.max_pool(X4, geometry)
    else:
        Y = contract.avg_pool(X4, counts, geometry)
    Y = Y.reshape(*X.shape[:-2], *geometry.output)
    if G is None:
        return Y, None
    G4 = G(Y.shape).reshape(X4.shape[0], X4.shape[1], *geometry.output)
    if options["mode"] == "max":
        dX = contract.max_pool_gradient(X4, G4, geometry)
    else:
        dX = contract.avg_pool_gradient(G4, counts, geometry)
    return Y, dX.reshape(X.shape)


@quiet
@given(windows(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99))
def test_pooling_is_what_the_contract_says_in_every_backend(backend, found, dtype, kind, seed):
    d2l = bind(backend)
    shape, size, options = found
    X = values(np.random.default_rng(seed), shape, dtype, kind)
    Y, _ = pooled(X, None, size, options)
    assert_same_bits(d2l.to_numpy(d2l.pool2d(d2l.tensor(X), size, **options)), Y, "Y")


@quiet
@given(windows(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99))
def test_the_gradient_of_pooling_is_what_the_contract_says(framework, found, dtype, kind, seed):
    shape, size, options = found
    X = values(np.random.default_rng(seed), shape, dtype, kind)
    made = []

    def G(shape):
        made.append(values(np.random.default_rng(seed + 1), shape, dtype, "normal"))
        return made[0]

    _, dX = pooled(X, G, size, options)
    d2l = bind(framework)
    _, (found_dX,) = vjp(
        framework, lambda X: d2l.pool2d(X, size, **options), [d2l.tensor(X)], d2l.tensor(made[0])
    )
    assert_same_bits(d2l.to_numpy(found_dX), dX, "dX")


@pytest.mark.parametrize("bias", [False, None, 0.5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_layer_with_channels_has_the_same_bits_everywhere(d2l, backend, dtype, bias):
    rng = np.random.default_rng(3)
    X, K = values(rng, (2, 4, 9, 8), dtype), values(rng, (6, 2, 3, 2), dtype)
    options = {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "groups": 2}
    layer = d2l.Conv2D((3, 2), in_channels=4, out_channels=6, weight=K, bias=bias, **options)
    checked, _ = geometry_of(X.shape, K.shape, options)
    Y = reference.corr2d(X, K, *checked)
    G = values(rng, Y.shape, dtype)
    if bias is not False:
        Y = Y + np.array(bias or 0, dtype)
    assert_same_bits(d2l.to_numpy(layer(d2l.tensor(X))), Y, "Y")
    found = registry.load(backend).layers.gradients(layer, d2l.tensor(X), d2l.tensor(G))
    found = {name: d2l.to_numpy(value) for name, value in found.items()}
    assert_same_bits(found["image"], reference.image_gradient(K, G, X.shape, *checked), "dX")
    assert_same_bits(found["weight"], reference.kernel_gradient(X, G, K.shape, *checked), "dK")
    if bias is not False:
        assert_same_bits(found["bias"], contract.bias_gradient(G), "db")


def test_a_drawn_layer_starts_alike_everywhere(d2l):
    layer = d2l.Conv2D((3, 3), in_channels=3, out_channels=4, seed=5)
    same = bind("numpy").Conv2D((3, 3), in_channels=3, out_channels=4, seed=5)
    X = np.random.default_rng(0).standard_normal((1, 3, 5, 5)).astype("float32")
    assert_same_bits(d2l.to_numpy(layer(d2l.tensor(X))), same(X))
    bound = np.sqrt(6 / ((3 + 4) * 9))
    assert 0.5 * bound < np.abs(same.weight).max() <= bound


@pytest.mark.parametrize("name", ["torch", "tf", "jax"])
def test_forward_mode_has_the_same_bits(name):
    """The operation is bilinear: its derivative along tangents is two calls of itself."""
    d2l = bind(demand(name))
    rng = np.random.default_rng(0)
    shapes = (2, 2, 6, 5), (3, 2, 2, 3)
    X, K = (values(rng, shape, "float32") for shape in shapes)
    tX, tK = (values(rng, shape, "float32") for shape in shapes)
    options = {"stride": 2, "padding": 1}
    checked, _ = geometry_of(*shapes, options)
    expected = reference.corr2d(tX, K, *checked) + reference.corr2d(X, tK, *checked)
    tensors = [d2l.tensor(t) for t in (X, K, tX, tK)]
    found = jvp(name, lambda X, K: d2l.corr2d(X, K, **options), tensors[:2], tensors[2:])
    assert_same_bits(d2l.to_numpy(found), expected)


def jvp(name, function, inputs, tangents):
    """The derivative along tangents by a framework's own forward mode."""
    if name == "torch":
        import torch

        return torch.func.jvp(function, tuple(inputs), tuple(tangents))[1]
    if name == "jax":
        import jax

        return jax.jvp(function, tuple(inputs), tuple(tangents))[1]
    import tensorflow as tf

    with tf.autodiff.ForwardAccumulator(inputs, tangents) as accumulator:
        Y = function(*inputs)
    return accumulator.jvp(Y)


@pytest.mark.parametrize("method", ["exact", "rounded", "native", "matmul", "loop"])
def test_a_stride_beyond_the_image_is_any_such_stride(d2l, method):
    """Frameworks have no place for the largest integers: each raised an error of its own."""
    rng = np.random.default_rng(0)
    X, K = (values(rng, shape, "float32", "integers") for shape in ((1, 2, 5, 6), (3, 2, 1, 2)))
    huge = {"stride": (10**30, 2**40), "dilation": (2**63, 2), "padding": 1}
    Y = d2l.conv2d(X, K, method=method, **huge)
    assert_same_bits(
        d2l.to_numpy(Y), reference.corr2d(X, K[..., ::-1, ::-1], (9, 9), ((1, 1),) * 2, (1, 2), 1)
    )
    pooled = d2l.pool2d(X, 2, stride=10**30)
    assert_same_bits(d2l.to_numpy(pooled), d2l.to_numpy(d2l.pool2d(X, 2, stride=9)))
