"""What JAX can put around a call: the right bits, in every transformation, and compiled."""

import importlib

import numpy as np
import pytest
from children import python
from chosen import demand
from frameworks import assert_same_bits

from d2lconv.binding import bind
from d2lconv.core import contract, reference
from d2lconv.core.geometry import form, pooling
from d2lconv.core.options import settings
from d2lconv.errors import DTypeError, ShapeError
from d2lconv.parity import compare

rng = np.random.default_rng(5)


def normal(*shape):
    return rng.standard_normal(shape, dtype=np.float32)


X, K, G = normal(24, 25), normal(6, 5), normal(19, 21)
IMAGES, KERNELS = normal(3, 4, 8, 7), normal(6, 2, 3, 2)
OPTIONS = {"stride": (2, 1), "padding": 1, "groups": 2}


@pytest.fixture
def jax():
    demand("jax")
    return importlib.import_module("jax")


@pytest.fixture
def d2l(jax):
    return bind("jax")


def by_numpy(function, *like):
    """A function of NumPy arrays as one of JAX arrays that its compiler cannot look into."""
    import jax

    def call(*tensors):
        result = jax.eval_shape(*like, *tensors)
        return jax.pure_callback(lambda *t: function(*map(np.asarray, t)), result, *tensors)

    return call


SIMPLE = [((1, 6), (1, 1)), ((7, 9), (1, 2)), ((7, 9), (3, 3)), ((9, 9), (6, 6))]


@pytest.mark.parametrize("known", ["nothing", "image", "kernel", "both"])
@pytest.mark.parametrize("shapes", SIMPLE, ids=str)
def test_a_compiled_callers_arithmetic_does_not_leak_in(jax, d2l, shapes, known):
    """The same program as with our call made by NumPy, outside of the compiler's sight."""
    image, kernel = (normal(*shape) for shape in shapes)

    def program(corr2d):
        def before(x, k):
            return corr2d(x * 0.1, k * 0.3 + 0.7) * 3 + 0.1

        x, k = d2l.tensor(image), d2l.tensor(kernel)
        return {
            "nothing": lambda: jax.jit(before)(x, k),
            "image": lambda: jax.jit(lambda k: before(x, k))(k),
            "kernel": lambda: jax.jit(lambda x: before(x, k))(x),
            "both": lambda: jax.jit(lambda: before(x, k))(),
        }[known]()

    expected = program(by_numpy(reference.corr2d, d2l.corr2d))
    assert_same_bits(np.asarray(program(d2l.corr2d)), np.asarray(expected))


def test_a_one_by_one_kernel_is_not_merged_with_the_callers_product(jax, d2l):
    """0.39000002 is what XLA makes of it if it looks into our call."""
    found = jax.jit(lambda x, k: d2l.corr2d(x * 0.1, k))(
        d2l.tensor([[3, 5, 7, 9, 11, 13]]), d2l.tensor([[0.3]])
    )
    assert found[0, -1].item() == np.float32(0.39000005)


@pytest.mark.parametrize("seed", range(8))
def test_a_constant_image_under_a_constant_kernel_keeps_its_bits(jax, d2l, seed):
    value, kernel = np.random.default_rng(seed).standard_normal(10, np.float32)[0], None
    kernel = np.random.default_rng(seed).standard_normal((3, 3), np.float32)
    found = jax.jit(lambda: d2l.corr2d(jax.numpy.full((6, 6), value), d2l.tensor(kernel)))()
    expected = reference.corr2d(np.full((6, 6), value), kernel)
    assert_same_bits(np.asarray(found), expected)


@pytest.mark.parametrize("seed", range(8))
def test_gradients_under_jit_keep_their_bits_with_arithmetic_around_them(jax, d2l, seed):
    generator = np.random.default_rng(seed)
    image, kernel = (generator.standard_normal(s, np.float32) for s in ((7, 8), (3, 2)))
    G = np.full((5, 7), generator.standard_normal(), np.float32)

    @jax.jit
    def gradients(X, K):
        return jax.vjp(lambda X, K: d2l.corr2d(X * 0.1, K * 0.3), X, K)[1](d2l.tensor(G))

    dX, dK = gradients(d2l.tensor(image), d2l.tensor(kernel))
    x, k = image * np.float32(0.1), kernel * np.float32(0.3)
    assert_same_bits(np.asarray(dX), reference.image_gradient(k, G) * np.float32(0.1), "dX")
    assert_same_bits(np.asarray(dK), reference.kernel_gradient(x, G) * np.float32(0.3), "dK")


def layer(d2l):
    return lambda X, K: d2l.corr2d(X, K, **OPTIONS)


def checked():
    found = form(IMAGES.shape, KERNELS.shape, *settings(**OPTIONS))
    return found.geometry


def test_forward_mode_under_jit_has_the_same_bits(jax, d2l):
    tX, tK, geometry = normal(*IMAGES.shape), normal(*KERNELS.shape), checked()
    tensors = [tuple(map(d2l.tensor, pair)) for pair in ((IMAGES, KERNELS), (tX, tK))]
    expected = contract.corr2d(tX, KERNELS, geometry) + contract.corr2d(IMAGES, tK, geometry)
    for call in (jax.jvp, lambda f, p, t: jax.jit(lambda p, t: jax.jvp(f, p, t))(p, t)):
        assert_same_bits(np.asarray(call(layer(d2l), *tensors)[1]), expected)
    _, linear = jax.linearize(layer(d2l), *tensors[0])
    assert_same_bits(np.asarray(linear(*tensors[1])), expected)


def test_jacobians_and_hessians_are_exact_on_small_integers(jax, d2l):
    """There every product and sum is exact, in whatever order it is computed."""
    image, kernel = d2l.tensor([[1, 2, 3], [4, 5, 6]]), d2l.tensor([[1, -2]])
    matrix = np.float32([[[[1, 2]], [[2, 3]]], [[[4, 5]], [[5, 6]]]])
    for jacobian in (jax.jacfwd, jax.jacrev):
        found = jacobian(lambda K: d2l.corr2d(image, K))(kernel)
        np.testing.assert_array_equal(np.asarray(found), matrix)

    def square(K):
        return (d2l.corr2d(image, K) ** 2).sum()

    expected = 2 * np.einsum("ijab,ijcd->abcd", matrix, matrix)
    np.testing.assert_array_equal(np.asarray(jax.hessian(square)(kernel)), expected)
    np.testing.assert_array_equal(np.asarray(jax.jit(jax.hessian(square))(kernel)), expected)


def test_scan_and_checkpoint_keep_their_bits(jax, d2l):
    kernels = [normal(3, 3) for _ in range(3)]

    def scanned(X):
        return jax.lax.map(jax.checkpoint(lambda K: d2l.corr2d(X, K)), d2l.tensor(kernels))

    Y, pull = jax.vjp(scanned, d2l.tensor(X))
    for found, kernel in zip(np.asarray(Y), kernels, strict=True):
        assert_same_bits(found, reference.corr2d(X, kernel))
    G = np.zeros(Y.shape, np.float32)
    G[1] = normal(*G.shape[1:])
    assert_same_bits(np.asarray(pull(d2l.tensor(G))[0]), reference.image_gradient(kernels[1], G[1]))


def test_per_sample_gradients_keep_their_bits_under_vmap(jax, d2l):
    images, gradients = normal(3, 7, 8), normal(3, 5, 7)
    kernel = normal(3, 2)

    def of_kernel(X, G):
        return jax.vjp(lambda K: d2l.corr2d(X, K), d2l.tensor(kernel))[1](G)[0]

    for map in (jax.vmap(of_kernel), jax.jit(jax.vmap(of_kernel))):
        found = map(d2l.tensor(images), d2l.tensor(gradients))
        for dK, x, G in zip(np.asarray(found), images, gradients, strict=True):
            assert_same_bits(dK, reference.kernel_gradient(x, G))


@pytest.mark.parametrize("jitted", [False, True])
def test_values_and_gradients_inside_shard_map_keep_their_bits(jax, d2l, jitted):
    from jax.sharding import Mesh, PartitionSpec

    try:
        shard_map = jax.shard_map
    except AttributeError:
        from jax.experimental.shard_map import shard_map
    mesh, split = Mesh(np.array(jax.devices()[:1]), ("x",)), PartitionSpec("x")
    kernel, G = normal(3, 2), normal(5, 7)

    def gradients(X, K):
        Y, pull = jax.vjp(lambda X, K: d2l.corr2d(X[0], K), X, K)
        dX, dK = pull(Y * 0 + d2l.tensor(G))
        return Y[None], dX, dK[None]

    sharded = shard_map(
        gradients, mesh=mesh, in_specs=(split, PartitionSpec()), out_specs=(split, split, split)
    )
    image = normal(1, 7, 8)
    call = jax.jit(sharded) if jitted else sharded
    Y, dX, dK = call(d2l.tensor(image), d2l.tensor(kernel))
    assert_same_bits(np.asarray(Y[0]), reference.corr2d(image[0], kernel), "Y")
    assert_same_bits(np.asarray(dX[0]), reference.image_gradient(kernel, G), "dX")
    assert_same_bits(np.asarray(dK[0]), reference.kernel_gradient(image[0], G), "dK")


TWO_DEVICES = """
import jax, numpy as np
from jax.sharding import Mesh, PartitionSpec
from d2lconv import jax as d2l
from d2lconv.core import reference
try:
    shard_map = jax.shard_map
except AttributeError:
    from jax.experimental.shard_map import shard_map
mesh = Mesh(np.array(jax.devices()), ("x",))
split, same = PartitionSpec("x"), PartitionSpec()
rng = np.random.default_rng(0)
images, G, K = (rng.standard_normal(s, np.float32) for s in ((2, 7, 8), (2, 5, 7), (3, 2)))

def gradients(X, K, G):
    Y, pull = jax.vjp(lambda X, K: d2l.corr2d(X[0], K), X, K)
    tY = jax.jvp(lambda K: d2l.corr2d(X[0], K), (K,), (2 * K,))[1]
    return Y[None], tY[None], *pull(G[0])

sharded = shard_map(gradients, mesh=mesh, in_specs=(split, same, split),
                    out_specs=(split, split, split, same))
for call in (sharded, jax.jit(sharded)):
    Y, tY, dX, dK = map(np.asarray, call(images, K, G))
    for i in range(2):
        assert Y[i].tobytes() == reference.corr2d(images[i], K).tobytes(), "Y"
        assert tY[i].tobytes() == (2 * Y[i]).tobytes(), "tY"
        assert dX[i].tobytes() == reference.image_gradient(K, G[i]).tobytes(), "dX"
    first, second = (reference.kernel_gradient(images[i], G[i]) for i in range(2))
    assert dK.tobytes() == (first + second).tobytes(), "dK"
print(len(jax.devices()))
"""


def test_a_kernel_that_two_devices_share_gets_the_sum_of_both_gradients(jax):
    found = python(TWO_DEVICES, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert found.stdout.split() == ["2"]


@pytest.mark.parametrize("jitted", [False, True])
def test_a_mean_is_divided_by_its_count(jax, d2l, jitted):
    """XLA would make the division by a 9 that it knows a product with a rounded ninth."""
    images = normal(2, 3, 9, 8)
    geometry, _ = pooling(images.shape, 3, 2, 1)
    counts = contract.counts(geometry).astype(np.float32)
    mean = lambda X: d2l.pool2d(X, 3, mode="avg", stride=2, padding=1)  # noqa: E731
    pull = lambda X, G: jax.vjp(mean, X)[1](G)[0]  # noqa: E731
    if jitted:
        mean, pull = jax.jit(mean), jax.jit(pull)
    expected = contract.avg_pool(images, counts, geometry)
    assert_same_bits(np.asarray(mean(d2l.tensor(images))), expected)
    G = normal(*expected.shape)
    dX = contract.avg_pool_gradient(G, counts, geometry)
    assert_same_bits(np.asarray(pull(d2l.tensor(images), d2l.tensor(G))), dX)


def test_the_switch_is_on_for_float64_alone(jax, d2l):
    """Also beside what has no type at all, as a geometry, which NumPy takes for float64."""
    from d2lconv_jax.tensors import wide

    is_on = wide(lambda *_: jax.config.jax_enable_x64)
    assert not is_on(d2l.tensor([1]), None, checked())
    assert is_on(None, d2l.tensor([1], "float64"))
    found = d2l.corr2d(d2l.tensor(X), d2l.tensor(K), padding=2, method="matmul")
    expected = reference.corr2d(X, K, *settings(padding=2))
    assert compare(found, expected, X=X, K=K, padding=2).verdict == "rounding"


@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native", "fft", "banded"])
def test_float64_is_differentiated_outside_of_the_switch(jax, d2l, method):
    """The rules run later than our call, and keep float64 there too."""
    image, kernel, tangent = (d2l.tensor(t, "float64") for t in (X, K, normal(*K.shape)))

    def function(K):
        return d2l.corr2d(image, K, method=method)

    Y, linear = jax.linearize(function, kernel)
    pulled = jax.vjp(function, kernel)[1](Y)[0]
    assert linear(tangent).dtype == pulled.dtype == "float64"
    bound = 1e-10  # float64 errs by less than 1e-12 here, float32 by more than 1e-6
    expected = d2l.to_numpy(function(tangent))
    assert np.abs(d2l.to_numpy(linear(tangent)) - expected).max() < bound


@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native", "banded", "rounded"])
def test_float64_before_leaves_nothing_behind_for_other_types(jax, d2l, method):
    """JAX remembers programs of its own functions; with jnp.pad, matmul in float32 failed then."""
    simple = method == "banded"
    options = {} if simple else {"padding": 1, "groups": 2}
    image, kernel = ((1, 101), (1, 3)) if simple else ((2, 2, 4, 5), (4, 1, 2, 1))
    for dtype in ("float64", "float16", "float32", "float64"):
        X, K = (d2l.tensor(np.ones(shape), dtype) for shape in (image, kernel))
        assert d2l.corr2d(X, K, method=method, **options).dtype == dtype


def test_flax_transforms_our_layers(jax, d2l):
    from flax import linen as nn

    convolution = {"kernel_size": (3, 3), "in_channels": 2, "out_channels": 4, "padding": 1}
    images = d2l.tensor(normal(2, 2, 8, 8))
    network = nn.Sequential([d2l.Conv2D(**convolution), d2l.Pool2D(2)])
    params = network.init(jax.random.key(0), images)
    expected = network.apply(params, images)
    assert expected.shape == (2, 4, 4, 4)
    by_image = jax.vmap(lambda X: network.apply(params, X))(images[:, None])[:, 0]
    assert_same_bits(np.asarray(by_image), np.asarray(expected))

    remat = nn.remat(type(d2l.Conv2D(**convolution)))(**convolution)
    plain = d2l.Conv2D(**convolution)
    params = plain.init(jax.random.key(0), images)
    first, second = (
        jax.grad(lambda p, module=module: (module.apply(p, images) ** 2).sum())(params)
        for module in (remat, plain)
    )
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        assert_same_bits(np.asarray(one), np.asarray(other))


def test_one_program_serves_all_values(jax, d2l):
    from d2lconv_jax import exact

    traces, original = [], exact.window
    shape = (23, 29)  # of no other test

    def window(x, n, geometry):
        traces.append(n)
        return original(x, n, geometry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "window", window)
        for _ in range(4):
            d2l.corr2d(d2l.tensor(normal(*shape)), d2l.tensor(normal(2, 2)))
    assert traces == [0, 1, 2, 3]


def exported(jax, function, sizes):
    """A function of an array as jax.export keeps it, for sizes that may be symbols."""
    export = importlib.import_module("jax.export")
    like = jax.ShapeDtypeStruct(export.symbolic_shape(sizes), np.float32)
    return export.export(jax.jit(function))(like)


@pytest.mark.parametrize("method", ["exact", "loop", "matmul", "native"])
def test_a_call_is_exported_for_any_number_of_images(jax, d2l, method):
    def corr2d(X):
        return d2l.corr2d(X, KERNELS, **OPTIONS, method=method)

    def dX(X):
        return jax.grad(lambda X: corr2d(X).sum())(X)

    def pool2d(X):
        return d2l.pool2d(X, 2, padding=1)

    functions = (corr2d, dX, pool2d)
    kept = [exported(jax, function, "n, 4, 8, 7") for function in functions]
    for some in (IMAGES, IMAGES[:1]):
        Y, D, M = (np.asarray(each.call(some)) for each in kept)
        assert_same_bits(M, np.asarray(pool2d(some)))
        if method == "exact":
            assert_same_bits(Y, np.asarray(corr2d(some)))
            assert_same_bits(D, np.asarray(dX(d2l.tensor(some))))
        verdict = compare(Y, corr2d(some), X=some, K=KERNELS, **OPTIONS).verdict
        assert verdict in ("identical", "rounding")
        assert D.shape == some.shape


def test_sizes_that_must_be_known_are_asked_for_in_our_words(jax, d2l):
    def dK(X):
        return jax.grad(lambda K: d2l.corr2d(X, K, **OPTIONS).sum())(d2l.tensor(KERNELS))

    for sizes, function, words in (
        ("h, 8", lambda X: d2l.corr2d(X, K), "all sizes but the number of images"),
        ("n, 2, h, 8", lambda X: d2l.pool2d(X, 2), "all sizes but the number of images"),
        ("h, 2", lambda K: d2l.toeplitz(K, (8, 8)), "both sizes must be known"),
        (
            "n, 4, 8, 7",
            lambda X: d2l.corr2d(X, KERNELS, **OPTIONS, method="rounded"),
            "n is a symbol",
        ),
        ("n, 4", d2l.relu, "n is a symbol of jax.export. Export it for a number"),
        ("n, 4, 8, 7", dK, "a sum over images needs sizes that are known"),
    ):
        with pytest.raises(ShapeError, match=words):
            exported(jax, function, sizes)


@pytest.mark.parametrize("number", [0.1, 3.3])
def test_a_callers_product_is_rounded_before_it_is_averaged(jax, d2l, number):
    """XLA would fuse it with our first addition, behind a barrier too."""
    X = np.random.default_rng(1).standard_normal((16, 15)).astype("float32")
    options = {"mode": "avg", "stride": (2, 3)}
    found = jax.jit(lambda X: d2l.pool2d(X * number, (2, 1), **options))(X)
    product = jax.jit(lambda X: X * number)(X)
    right = bind("numpy").pool2d(np.asarray(product), (2, 1), **options)
    assert_same_bits(np.asarray(found), right)


@pytest.mark.parametrize("how", ["jit", "grad", "vmap"])
def test_a_value_that_left_the_function_it_was_traced_in_is_refused(jax, how):
    d2l, kept = bind("jax"), []

    def traced(X):
        kept.append(X * 2)
        return d2l.corr2d(X, X[:1]).sum()

    X = jax.numpy.ones((3, 3, 3))
    getattr(jax, how)(traced)(X if how == "vmap" else X[0])
    (leaked,) = kept
    for refused in (
        lambda: d2l.corr2d(leaked, [[1.0]]),
        lambda: d2l.corr2d(X[0], leaked, method="rounded"),
        lambda: d2l.pool2d(leaked, 2),
        lambda: d2l.sigmoid(leaked),
        lambda: d2l.tensor(leaked),
        lambda: d2l.to_numpy(leaked),
    ):
        with pytest.raises(DTypeError, match="is a value of a function that was traced"):
            refused()
