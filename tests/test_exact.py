"""The promise: the exact method has the same bits in every backend, values and gradients.

The NumPy backend is held against the contract, which is written out on scalars, and every
framework against the NumPy backend.
"""

from functools import partial

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits, vjp

from d2lconv.binding import bind
from d2lconv.core import contract, reference, registry
from d2lconv.core.geometry import form

# Frameworks in one process could change each other's arithmetic.
pytestmark = pytest.mark.together

corr2d = reference.corr2d
SHAPES = [
    ((1, 1), (1, 1)),
    ((5, 7), (1, 1)),
    ((6, 8), (1, 2)),
    ((9, 4), (2, 1)),
    ((7, 7), (7, 7)),
    ((12, 13), (3, 3)),
    ((17, 10), (4, 2)),
    ((10, 31), (2, 9)),
]
KINDS = ["normal", "range", "special", "integers"]


def data(shape, dtype, kind, seed):
    """Random numbers: ordinary ones, of very different sizes, with special values, or integers."""
    rng = np.random.default_rng([seed, *shape])
    values = rng.standard_normal(shape)
    if kind == "range":
        values *= 10.0 ** rng.integers(-2 if dtype == "float16" else -8, 3, shape)
    if kind == "integers":
        values = np.round(3 * values)
    values = values.astype(dtype)
    if kind == "special":
        specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo(dtype).max], dtype)
        where = rng.random(shape) < 0.3
        values[where] = rng.choice(specials, int(where.sum()))
    return values


def operands(shapes, dtype, kind):
    (h, w), (kh, kw) = shapes
    X = data((h, w), dtype, kind, 1)
    K = data((kh, kw), dtype, kind, 2)
    G = data((h - kh + 1, w - kw + 1), dtype, kind, 3)
    return X, K, G


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning")
def test_the_numpy_backend_computes_what_the_contract_says(shapes, dtype, kind):
    X, K, G = operands(shapes, dtype, kind)
    geometry = form(X.shape, K.shape).geometry
    X4, K4, G4 = (t[None, None] for t in (X, K, G))
    assert_same_bits(corr2d(X, K), contract.corr2d(X4, K4, geometry)[0, 0], "Y")
    dX, dK = contract.image_gradient(K4, G4, geometry), contract.kernel_gradient(X4, G4, geometry)
    assert_same_bits(reference.image_gradient(K, G), dX[0, 0], "dX")
    assert_same_bits(reference.kernel_gradient(X, G), dK[0, 0], "dK")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_exact_corr2d_and_its_gradients_have_the_same_bits_in_every_backend(
    framework, shapes, dtype, kind
):
    check_same_bits(framework, *operands(shapes, dtype, kind))


@pytest.mark.parametrize("shapes", [((512, 512), (7, 7)), ((60, 70), (31, 31))], ids=str)
def test_large_images_and_large_kernels_have_the_same_bits_too(framework, shapes):
    check_same_bits(framework, *operands(shapes, "float32", "normal"))


def check_same_bits(framework, X, K, G):
    __tracebackhide__ = True
    d2l = bind(framework)
    Y, gradients = vjp(framework, d2l.corr2d, [d2l.tensor(X), d2l.tensor(K)], d2l.tensor(G))
    dX, dK = map(d2l.to_numpy, gradients)
    assert_same_bits(d2l.to_numpy(Y), corr2d(X, K), "Y")
    assert_same_bits(dX, reference.image_gradient(K, G), "dX")
    assert_same_bits(dK, reference.kernel_gradient(X, G), "dK")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_strict_convolution_and_its_gradients_have_the_same_bits_in_every_backend(framework, dtype):
    X, K, G = operands(((8, 9), (3, 2)), dtype, "normal")
    d2l = bind(framework)
    Y, gradients = vjp(framework, d2l.conv2d, [d2l.tensor(X), d2l.tensor(K)], d2l.tensor(G))
    flipped = K[::-1, ::-1]
    assert_same_bits(d2l.to_numpy(Y), corr2d(X, flipped), "Y")
    dX, dK = map(d2l.to_numpy, gradients)
    assert_same_bits(dX, reference.image_gradient(flipped, G), "dX")
    assert_same_bits(dK, reference.kernel_gradient(X, G)[::-1, ::-1], "dK")


@pytest.mark.parametrize("name", ["torch", "tf", "jax"])  # MXNet differentiates once
def test_gradients_of_gradients_have_the_same_bits_too(name):
    """corr2d and its two gradients are one trilinear form, and so each other's gradients."""
    d2l = bind(demand(name))
    method = registry.load(name).methods.METHODS["exact"]
    X, K, G = operands(((9, 8), (3, 2)), "float32", "normal")
    geometry = form(X.shape, K.shape).geometry
    P, V = X[::-1].copy(), K[::-1].copy()  # as gradients at dX and at dK
    cases = [
        (method.image_gradient, (K, G), P, (reference.kernel_gradient(P, G), corr2d(P, K))),
        (method.kernel_gradient, (X, G), V, (reference.image_gradient(V, G), corr2d(X, V))),
    ]
    for function, inputs, gradient, expected in cases:
        tensors = [d2l.tensor(t[None, None]) for t in inputs]
        operation = partial(apply, function, geometry)
        _, found = vjp(name, operation, tensors, d2l.tensor(gradient[None, None]))
        for actual, wanted in zip(found, expected, strict=True):
            assert_same_bits(d2l.to_numpy(actual)[0, 0], wanted)


def apply(function, geometry, *tensors):
    return function(*tensors, geometry)


@pytest.mark.parametrize("wanted", [(True, False), (False, True)], ids=["image", "kernel"])
def test_a_gradient_that_is_asked_for_alone_is_the_same(framework, wanted):
    X, K, G = operands(((8, 9), (3, 2)), "float32", "normal")
    d2l = bind(framework)
    tensors = {"X": d2l.tensor(X), "K": d2l.tensor(K)}
    name = "X" if wanted[0] else "K"
    rest = {key: value for key, value in tensors.items() if key != name}
    _, (gradient,) = vjp(
        framework, lambda t: d2l.corr2d(**{name: t}, **rest), [tensors[name]], d2l.tensor(G)
    )
    expected = reference.image_gradient(K, G) if wanted[0] else reference.kernel_gradient(X, G)
    assert_same_bits(d2l.to_numpy(gradient), expected, name)


def test_two_uses_of_one_kernel_add_their_gradients(framework):
    X, K, G = operands(((8, 9), (3, 2)), "float32", "integers")
    d2l = bind(framework)
    image, G = d2l.tensor(X), d2l.tensor(G)
    _, (gradient,) = vjp(
        framework, lambda K: d2l.corr2d(image, K) + d2l.corr2d(image, K), [d2l.tensor(K)], G
    )
    expected = 2 * reference.kernel_gradient(X, d2l.to_numpy(G))
    np.testing.assert_array_equal(d2l.to_numpy(gradient), expected)


def test_the_comparison_of_bits_can_fail():
    with pytest.raises(AssertionError, match="1 of 2 elements differ"):
        assert_same_bits(np.float32([1, 0.0]), np.float32([1, -0.0]))
    with pytest.raises(AssertionError, match="float32 is not float64"):
        assert_same_bits(np.float32([1]), np.float64([1]))
    assert_same_bits(np.float32([np.nan]), -np.float32([np.nan]))


def test_mxnet_accumulates_gradients_on_request():
    """MXNet's own autograd.Function drops them: its request "add" is compared with a string."""
    d2l = bind(demand("mxnet"))
    from mxnet import autograd

    X, K, G = operands(((8, 9), (3, 2)), "float32", "integers")
    kernel = d2l.tensor(K)
    kernel.attach_grad("add")
    for _ in range(3):
        with autograd.record():
            Y = d2l.corr2d(X, kernel)
        Y.backward(d2l.tensor(G))
    np.testing.assert_array_equal(kernel.grad.asnumpy(), 3 * reference.kernel_gradient(X, G))
