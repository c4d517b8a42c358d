"""Compilers reorder and fuse; the exact method keeps its bits under theirs too."""

import numpy as np
import pytest
from chosen import demand
from frameworks import assert_same_bits

from d2lconv.binding import bind
from d2lconv.core import reference

rng = np.random.default_rng(0)
X = rng.standard_normal((24, 25), dtype=np.float32)
K = rng.standard_normal((6, 5), dtype=np.float32)
G = rng.standard_normal((19, 21), dtype=np.float32)
X[3, 4], X[5, 5], X[10, 11:15] = np.inf, np.nan, -0.0
Y = reference.corr2d(X, K)
DX = reference.image_gradient(K, G)
DK = reference.kernel_gradient(X, G)


@pytest.fixture(params=["both", "image", "kernel", "neither"])
def constant(request):
    """Which of the operands the compiler knows, and could compute with while it compiles."""
    return request.param


def variants(constant, X, K, f):
    """F with the constant operands closed over, and the others to call it with."""
    return {
        "neither": (f, (X, K)),
        "image": (lambda K: f(X, K), (K,)),
        "kernel": (lambda X: f(X, K), (X,)),
        "both": (lambda: f(X, K), ()),
    }[constant]


@pytest.fixture(params=[(6, 5), (3, 3), (1, 2)], ids=["6x5", "3x3", "1x2"])
def kernel(request):
    """Kernels that are added in a loop and at once: compilers treat constants of these apart."""
    kh, kw = request.param
    return K[:kh, :kw]


def test_exact_keeps_its_bits_under_jax_jit(constant, kernel):
    d2l = bind(demand("jax"))
    import jax

    function, arguments = variants(constant, d2l.tensor(X), d2l.tensor(kernel), d2l.corr2d)
    expected = reference.corr2d(X, kernel)
    assert_same_bits(np.asarray(jax.jit(function)(*arguments)), expected)
    inner = jax.jit(function)
    assert_same_bits(np.asarray(jax.jit(lambda: inner(*arguments))()), expected, "nested")


def test_exact_gradients_keep_their_bits_under_jax_jit():
    d2l = bind(demand("jax"))
    import jax

    @jax.jit
    def gradients(X, K, G):
        return jax.vjp(d2l.corr2d, X, K)[1](G)

    dX, dK = gradients(*map(d2l.tensor, (X, K, G)))
    assert_same_bits(np.asarray(dX), DX, "dX")
    assert_same_bits(np.asarray(dK), DK, "dK")


def test_the_one_by_one_kernel_keeps_its_signed_zeros_under_jax_jit():
    d2l = bind(demand("jax"))
    import jax

    K, G = np.float32([[-1]]), np.float32([[0, 1, -0.0]])
    pull = jax.jit(lambda X, K, G: jax.vjp(d2l.corr2d, X, K)[1](G)[0])
    assert_same_bits(np.asarray(pull(*map(d2l.tensor, (G, K, G)))), reference.image_gradient(K, G))


def test_exact_keeps_its_bits_under_jax_vmap():
    d2l = bind(demand("jax"))
    import jax

    batch = np.stack([X, X[::-1], 2 * X])
    result = jax.vmap(d2l.corr2d, in_axes=(0, None))(d2l.tensor(batch), d2l.tensor(K))
    for image, mapped in zip(batch, np.asarray(result), strict=True):
        assert_same_bits(mapped, reference.corr2d(image, K))


def test_jax_differentiates_twice():
    """corr2d is bilinear, so the gradient of <dX(K), P> with respect to K is dK for the image P.

    On small integers every product and sum is exact, in whatever order it is computed.
    """
    d2l = bind(demand("jax"))
    import jax

    image, kernel, G, P = (
        rng.integers(-3, 4, shape).astype(np.float32) for shape in ((7, 8), (3, 2), (5, 7), (7, 8))
    )

    def of_kernel(K):
        return jax.vjp(lambda X: d2l.corr2d(X, K), d2l.tensor(image))[1](d2l.tensor(G))[0]

    (gradient,) = jax.vjp(of_kernel, d2l.tensor(kernel))[1](d2l.tensor(P))
    np.testing.assert_array_equal(np.asarray(gradient), reference.kernel_gradient(P, G))


@pytest.mark.parametrize("xla", [False, True], ids=["grappler", "xla"])
def test_exact_keeps_its_bits_in_a_tensorflow_graph(constant, xla):
    d2l = bind(demand("tf"))
    import tensorflow as tf

    function, arguments = variants(constant, d2l.tensor(X), d2l.tensor(K), d2l.corr2d)
    graph = tf.function(function, jit_compile=xla, autograph=False)
    assert_same_bits(graph(*arguments).numpy(), Y)


@pytest.mark.parametrize("xla", [False, True], ids=["grappler", "xla"])
def test_exact_keeps_its_bits_in_a_tensorflow_graph_of_constants(constant, xla, kernel):
    """Tensors that a graph closes over are inputs of it; lists are constants, which it computes."""
    d2l = bind(demand("tf"))
    import tensorflow as tf

    function, arguments = variants(constant, X.tolist(), kernel.tolist(), d2l.corr2d)
    graph = tf.function(function, jit_compile=xla, autograph=False)
    expected = reference.corr2d(X, kernel)
    assert_same_bits(graph(*map(d2l.tensor, arguments)).numpy(), expected)


@pytest.mark.parametrize("xla", [False, True], ids=["grappler", "xla"])
def test_exact_gradients_keep_their_bits_in_a_tensorflow_graph(xla):
    d2l = bind(demand("tf"))
    import tensorflow as tf

    @tf.function(jit_compile=xla, autograph=False)
    def gradients(X, K, G):
        with tf.GradientTape() as tape:
            tape.watch([X, K])
            Y = d2l.corr2d(X, K)
        return tape.gradient(Y, [X, K], output_gradients=G)

    dX, dK = gradients(*map(d2l.tensor, (X, K, G)))
    assert_same_bits(dX.numpy(), DX, "dX")
    assert_same_bits(dK.numpy(), DK, "dK")


@pytest.mark.parametrize("xla", [False, True], ids=["grappler", "xla"])
def test_the_one_by_one_kernel_keeps_its_signed_zeros_in_a_tensorflow_graph(xla):
    d2l = bind(demand("tf"))
    import tensorflow as tf

    K, G = np.float32([[-1]]), np.float32([[0, 1, -0.0]])

    @tf.function(jit_compile=xla, autograph=False)
    def gradient(X, K, G):
        with tf.GradientTape() as tape:
            tape.watch(X)
            Y = d2l.corr2d(X, K)
        return tape.gradient(Y, X, output_gradients=G)

    dX = gradient(*map(d2l.tensor, (G, K, G)))
    assert_same_bits(dX.numpy(), reference.image_gradient(K, G))


def test_tensorflow_differentiates_twice():
    """On small integers, where every product and sum is exact."""
    d2l = bind(demand("tf"))
    import tensorflow as tf

    image, kernel, G, P = (
        rng.integers(-3, 4, shape).astype(np.float32) for shape in ((7, 8), (3, 2), (5, 7), (7, 8))
    )
    X, K = tf.Variable(image), tf.Variable(kernel)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            Y = d2l.corr2d(X, K)
        dX = inner.gradient(Y, X, output_gradients=tf.constant(G))
    gradient = outer.gradient(dX, K, output_gradients=tf.constant(P))
    np.testing.assert_array_equal(gradient.numpy(), reference.kernel_gradient(P, G))


def test_exact_keeps_its_bits_under_torch_vmap():
    d2l = bind(demand("torch"))
    import torch

    batch = np.stack([X, X[::-1], 2 * X])
    result = torch.vmap(d2l.corr2d, in_dims=(0, None))(d2l.tensor(batch), d2l.tensor(K))
    for image, mapped in zip(batch, result.numpy(), strict=True):
        assert_same_bits(mapped, reference.corr2d(image, K))


def test_exact_works_with_torch_func_grad():
    d2l = bind(demand("torch"))
    import torch

    _, pull = torch.func.vjp(d2l.corr2d, d2l.tensor(X), d2l.tensor(K))
    dX, dK = pull(d2l.tensor(G))
    assert_same_bits(dX.numpy(), DX, "dX")
    assert_same_bits(dK.numpy(), DK, "dK")


def test_per_sample_gradients_keep_their_bits_under_torch_vmap():
    d2l = bind(demand("torch"))
    import torch

    images = d2l.tensor(np.stack([X, X[::-1]]))
    gradients = d2l.tensor(np.stack([G, 2 * G]))

    def of_kernel(X, G):
        return torch.func.vjp(lambda K: d2l.corr2d(X, K), d2l.tensor(K))[1](G)[0]

    for i, dK in enumerate(torch.vmap(of_kernel)(images, gradients)):
        expected = reference.kernel_gradient(images[i].numpy(), gradients[i].numpy())
        assert_same_bits(dK.numpy(), expected)


def test_torch_differentiates_twice():
    """A finite-difference check of the gradient of the gradient, in float64."""
    d2l = bind(demand("torch"))
    import torch

    image = torch.tensor(rng.standard_normal((5, 6)), requires_grad=True)
    kernel = torch.tensor(rng.standard_normal((2, 3)), requires_grad=True)
    assert torch.autograd.gradgradcheck(d2l.corr2d, (image, kernel))
