"""``method="rounded"``: the true value, rounded once, with the same bits in every framework."""

import numpy as np
import pytest
from frameworks import assert_same_bits, vjp
from geometries import DTYPES, geometries, geometry_of, values
from hypothesis import given
from hypothesis import strategies as st
from rationals import rational, round_exactly

from d2lconv.binding import bind
from d2lconv.core import contract, reference, registry
from d2lconv.core.geometry import lifted
from d2lconv.rounding import convolution

KINDS = ("normal", "range", "integers", "ties")


def draw(rng, shape, dtype, kind):
    """Numbers of a kind; ties are of few bits, so that sums often lie between two numbers."""
    if kind != "ties":
        return values(rng, shape, dtype, kind)
    small = 2.0 ** -(np.finfo(dtype).nmant + 1)
    return rng.choice([0.0, 1.0, -1.0, small, 1 + small * 2], shape).astype(dtype)


def operands(found, dtype, kind, seed):
    """X, K and G of a drawn geometry, and its checked options."""
    rng = np.random.default_rng(seed)
    options, geometry = geometry_of(*found)
    X, K = draw(rng, found[0], dtype, kind), draw(rng, found[1], dtype, kind)
    G = draw(rng, reference.corr2d(X * 0, K * 0, *options).shape, dtype, kind)
    return X, K, G, options, geometry


def rounded(true, dtype):
    """Fractions rounded once, to nearest and to even."""
    return np.array([round_exactly(t, dtype) for t in true.flat], dtype).reshape(true.shape)


@given(geometries(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99))
def test_every_element_is_the_true_value_rounded_once(found, dtype, kind, seed):
    X, K, G, _, geometry = operands(found, dtype, kind, seed)
    X, K = X.reshape(lifted(X.shape)), K.reshape(lifted(K.shape))
    G = G.reshape(len(X), *geometry.shape[1:])
    x, k, g = map(rational, (X, K, G))
    for found_values, true in (
        (convolution.corr2d(X, K, geometry), contract.corr2d(x, k, geometry)),
        (convolution.image_gradient(K, G, geometry), contract.image_gradient(k, g, geometry)),
        (convolution.kernel_gradient(X, G, geometry), contract.kernel_gradient(x, g, geometry)),
    ):
        np.testing.assert_array_equal(found_values.values, rounded(true, dtype))
        assert found_values.counts.total == true.size


@given(geometries(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99))
def test_every_framework_gives_the_same_answer(framework, found, dtype, kind, seed):
    X, K, G, options, _ = operands(found, dtype, kind, seed)
    d2l = bind(framework)

    def function(X, K):
        return d2l.corr2d(X, K, method="rounded", **found[2])

    Y, (dX, dK) = vjp(framework, function, [d2l.tensor(X), d2l.tensor(K)], d2l.tensor(G))
    wanted = {"method": "rounded"}
    assert_same_bits(d2l.to_numpy(Y), reference.corr2d(X, K, *options, **wanted), "Y")
    expected = reference.image_gradient(K, G, X.shape, *options, **wanted)
    assert_same_bits(d2l.to_numpy(dX), expected, "dX")
    expected = reference.kernel_gradient(X, G, K.shape, *options, **wanted)
    assert_same_bits(d2l.to_numpy(dK), expected, "dK")


def test_second_gradients_are_rounded_once_too(framework):
    if framework == "mxnet":
        pytest.skip("MXNet differentiates once")
    found = ((2, 3, 7, 6), (4, 3, 3, 2), {"stride": 2, "padding": 1, "dilation": 1, "groups": 1})
    X, K, G, options, geometry = operands(found, "float32", "normal", 5)
    P = draw(np.random.default_rng(6), X.shape, "float32", "normal")
    d2l, method = bind(framework), registry.load(framework).methods.METHODS["rounded"]

    def dX(K, G):
        return method.image_gradient(K, G, geometry)

    _, (of_K, of_G) = vjp(framework, dX, [d2l.tensor(K), d2l.tensor(G)], d2l.tensor(P))
    wanted = {"method": "rounded"}
    expected = reference.kernel_gradient(P, G, K.shape, *options, **wanted)
    assert_same_bits(d2l.to_numpy(of_K), expected)
    assert_same_bits(d2l.to_numpy(of_G), reference.corr2d(P, K, *options, **wanted))


@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("where", ["X", "K"])
def test_infinities_and_nans_are_what_the_sum_makes_of_them(d2l, special, where):
    """Zeros of the padding are terms too: an infinite kernel element makes NaN of them."""
    rng = np.random.default_rng(0)
    X, K = (values(rng, shape, "float32") for shape in ((2, 2, 6, 5), (3, 2, 3, 3)))
    (X if where == "X" else K)[1, 1, 2, 1] = special
    options = {"padding": 1, "stride": 2}
    checked, _ = geometry_of(X.shape, K.shape, options)
    exact = reference.corr2d(X, K, *checked)
    Y = d2l.to_numpy(d2l.corr2d(d2l.tensor(X), d2l.tensor(K), method="rounded", **options))
    finite = np.isfinite(exact)
    assert not finite.all()
    np.testing.assert_array_equal(Y[~finite], exact[~finite])
    assert np.isfinite(Y[finite]).all()


def test_a_layer_by_the_right_answer_has_the_same_bits_everywhere(d2l):
    rng = np.random.default_rng(1)
    X = values(rng, (2, 3, 8, 7), "float32")
    options = {"in_channels": 3, "out_channels": 4, "padding": 1, "method": "rounded", "bias": 0.1}
    Y = d2l.to_numpy(d2l.Conv2D((3, 3), **options)(d2l.tensor(X)))
    assert_same_bits(Y, bind("numpy").Conv2D((3, 3), **options)(X))


def test_it_differs_from_the_exact_order_where_that_rounds_twice(d2l):
    """1 + 2**-24 + 2**-24 is 1 if each sum is rounded, and 1 + 2**-23 if the whole is."""
    X, K = [[1.0, 2.0**-24, 2.0**-24]], [[1.0, 1.0, 1.0]]
    assert d2l.to_numpy(d2l.corr2d(X, K))[0, 0] == 1
    assert d2l.to_numpy(d2l.corr2d(X, K, method="rounded"))[0, 0] == 1 + 2.0**-23
