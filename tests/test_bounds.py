"""No honest arithmetic is ever beyond its bound: every method, order and fusion, any data.

The true value is computed in rational arithmetic, so that nothing here is itself rounded.
"""

import math
from fractions import Fraction

import honest
import numpy as np
import pytest
import rationals
from chosen import STATUS, demand
from fuzzing import examples
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rationals import assert_within, rational

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import registry
from d2lconv.core.geometry import form
from d2lconv.parity import bounds

TYPES = ["float16", "float32", "float64"]
METHODS = ["exact", "rounded", "loop", "matmul", "native", "banded"]
KINDS = ["normal", "cancelling", "range", "large", "small", "special"]
PROPERTY = examples(60)


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def numbers(shape, dtype, kind, rng):
    """Numbers of which sums cancel, of very different sizes, near overflow, near underflow..."""
    info = np.finfo(dtype)
    values = rng.standard_normal(shape)
    if kind == "cancelling":
        values = np.where(rng.random(shape) < 0.5, 1, -1) * (1 + float(info.eps) * values.round(1))
    if kind == "range":
        high = math.log10(float(info.max)) / 2 - 1
        values *= 10.0 ** rng.uniform(-high, high, shape)
    if kind == "large":
        values *= float(info.max) ** 0.5 / 2
    if kind == "small":
        values *= np.where(rng.random(shape) < 0.5, float(info.tiny), 1)
    values = values.astype(dtype)
    if kind == "special":
        specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], dtype)
        where = rng.random(shape) < 0.15
        values[where] = rng.choice(specials, int(where.sum()))
    return values


def operands(image, kernel, dtype, kind, seed=0):
    rng = np.random.default_rng([seed, *image, *kernel])
    return numbers(image, dtype, kind, rng), numbers(kernel, dtype, kind, rng)


def check(actual, X, K, what=""):
    """A cross-correlation against its bound, and where an infinity or NaN comes in, against that.

    A finite result obeys the bound of the rounding even where another order may overflow.
    """
    __tracebackhide__ = True
    actual = np.asarray(actual)
    parts = bounds.corr2d_parts(X, K, actual.dtype)
    x, k = (t.astype(np.float64) for t in honest.factors(X, K))
    special = ~(np.isfinite(x) & np.isfinite(k))
    given = np.where(special, x * k, 0).sum(-1)
    came = special.any(-1) & ~parts.overflow
    came &= ~(parts.infinite & np.isnan(actual))  # compensated sums make NaN of infinities
    np.testing.assert_array_equal(actual[came], given[came].astype(actual.dtype), what)
    finite = np.where(came, math.inf, parts.of(actual))
    return assert_within(actual, rationals.corr2d(rational(X), rational(K)), finite, what)


# The growth of rounding errors.


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [1, 2, 9, 225, 1000, 3000])
def test_gamma_bounds_the_product_of_n_double_roundings(dtype, n):
    u = Fraction(bounds.unit_roundoff(dtype))
    up, down = (((1 + s * u) * (1 + s * u / 2**11)) ** n - 1 for s in (1, -1))
    gamma = Fraction(bounds.gamma(n, dtype)) * (1 + Fraction(2) ** -51)  # it is float64 itself
    assert max(abs(up), abs(down)) <= gamma
    assert gamma <= max(abs(up), abs(down)) * Fraction(1001, 1000)


def test_gamma_exists_for_any_number_of_roundings():
    assert bounds.gamma(0, "float16") == 0
    assert 1 < bounds.gamma(2048, "float16") < 2
    assert bounds.gamma(10**9, "float16") == math.inf


# Algorithms written out, in NumPy.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("algorithm", honest.ALL, ids=lambda f: f.__name__)
def test_no_honest_algorithm_is_beyond_the_bound(algorithm, dtype, kind):
    for seed, (image, kernel) in enumerate([((4, 5), (1, 1)), ((4, 5), (1, 2)), ((6, 6), (3, 4))]):
        X, K = operands(image, kernel, dtype, kind, seed)
        if algorithm is honest.fused and kind in ("large", "special"):
            X = np.nan_to_num(X, posinf=1, neginf=-1) / 8  # fractions have no infinities
            K = np.nan_to_num(K, posinf=1, neginf=-1)
        check(algorithm(*honest.factors(X, K)), X, K, f"{algorithm.__name__} {kernel}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["small", "range", "normal"])
def test_flushing_subnormal_numbers_is_not_beyond_the_bound(dtype, kind):
    for seed in range(5):
        X, K = operands((5, 6), (2, 3), dtype, kind, seed)
        check(honest.flushing(*honest.factors(X, K)), X, K)
        root = float(np.finfo(dtype).tiny) ** 0.5  # products and sums that are subnormal
        X, K = ((t * root).astype(dtype) for t in operands((5, 6), (2, 3), dtype, "normal", seed))
        check(honest.flushing(*honest.factors(X, K)), X, K)


def test_what_a_flushed_operand_loses_is_no_small_number():
    X, K = np.float32([[1e-39]]), np.float32([[1e38]])
    assert float(X[0, 0]) * float(K[0, 0]) == pytest.approx(0.1)
    assert bounds.corr2d(X, K)[0, 0] >= 0.09


def floats(dtype):
    width = 8 * np.dtype(dtype).itemsize
    return st.floats(width=width, allow_nan=False, allow_infinity=False, allow_subnormal=True)


@st.composite
def products(draw):
    """Factors of a sum of up to 12 products, and an order to add them in."""
    dtype = draw(st.sampled_from(TYPES))
    n = draw(st.integers(1, 12))
    ordinary = st.floats(-4, 4, width=16)
    elements = draw(st.sampled_from([floats(dtype), ordinary]))
    X, K = (draw(hnp.arrays(dtype, (1, n), elements=elements)) for _ in range(2))
    if draw(st.booleans()):  # sums that cancel but for their last digits
        X, K = np.hstack([X, -X]), np.hstack([K, np.nextafter(K, np.array(np.inf, dtype))])
    return X, K, draw(st.permutations(range(X.size)))


# A product just above the middle of two float64 numbers: 80 bits make it the middle, and 64 the
# wrong one of the two.
X87 = float.fromhex("0x1.0006e7d3f410dp+0"), float.fromhex("0x1.000960eec06dfp+0")


def test_rounding_twice_is_not_beyond_the_bound():
    X, K = (np.array([[x]]) for x in X87)
    assert check(honest.widest(*honest.factors(X, K)), X, K) > 0.99


@PROPERTY
@given(products(), st.sampled_from(honest.ALL))
def test_no_numbers_in_no_order_lead_an_honest_algorithm_beyond_the_bound(factors, algorithm):
    X, K, order = factors
    x, k = X[:, order], K[:, order]
    if algorithm is honest.fused and not np.isfinite(np.abs(x * k).sum()):
        return
    check(algorithm(*honest.factors(x, k)), X, K, algorithm.__name__)


@PROPERTY
@given(products())
def test_no_numbers_lead_flushing_beyond_the_bound(factors):
    X, K, order = factors
    if X.dtype == np.float16:
        X, K = X.astype(np.float32), K.astype(np.float32)
    check(honest.flushing(*honest.factors(X[:, order], K[:, order])), X, K)


def test_operands_of_a_wider_type_are_rounded_first():
    """In float32 from float64 operands: one rounding more for either of them."""
    rng = np.random.default_rng(0)
    used = 0.0
    for _ in range(200):
        X, K = rng.standard_normal((3, 4)), rng.standard_normal((1, 2))
        used = max(used, check(dc.numpy.corr2d(X.astype("f4"), K.astype("f4")), X, K))
        check(dc.numpy.corr2d(X.astype("f2"), K.astype("f2")), X, K)
    exact = bounds.corr2d(X.astype("f4"), K.astype("f4"))
    assert (bounds.corr2d(X, K, "float32") / exact > 1.5).all()
    huge = np.float64([[1e39, 1]])
    assert bounds.corr2d(huge, np.float64([[1e-9]]), "float32")[0].tolist()[0] == math.inf
    tiny = np.float64([[1e-9, 1]])  # 0 in float16
    check(np.float16([[0, 1024]]), tiny, np.float64([[1024.0]]))


# A bound that is never used up says little.


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [1, 2, 9, 25])
def test_the_bound_is_nearly_attained(dtype, n):
    """1, and n - 1 times half a unit of its last place: each is lost when it is added, in turn."""
    u = bounds.unit_roundoff(dtype)
    X = np.full((1, n), u, dtype)
    X[0, 0] = 1
    actual = honest.sequential(*honest.factors(X, np.ones_like(X)))
    assert check(actual, X, np.ones_like(X)) >= 0.95 * (n - 1) / n
    X, K = np.array([[1 + 2 * u]], dtype), np.array([[1.5]], dtype)
    assert check(X * K, X, K) > 0.6


# Every method in every backend.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", TYPES)
def test_no_method_of_no_backend_is_beyond_the_bound(d2l, dtype, kind):
    for image, kernel in [((4, 5), (1, 1)), ((5, 4), (2, 3))]:
        X, K = operands(image, kernel, dtype, kind)
        for method in METHODS:
            if method == "banded" and kind == "special":
                continue  # the zeros in its bands meet infinities of other windows, and it says so
            actual = d2l.to_numpy(d2l.corr2d(X, K, method=method))
            check(actual, X, K, f"{method} {kernel}")


def test_every_method_but_the_fourier_transform_is_held_to_the_bound_of_the_sum(backend):
    assert set(registry.load(backend).methods.METHODS) == {*METHODS, "fft"}


@pytest.mark.parametrize("method", METHODS)
def test_no_method_is_beyond_the_bound_with_large_kernels(d2l, method):
    for dtype in TYPES:
        X, K = operands((18, 17), (15, 15), dtype, "cancelling")
        check(d2l.to_numpy(d2l.corr2d(X, K, method=method)), X, K, dtype)


@pytest.mark.parametrize("name", list(STATUS))
def test_no_backend_flushes_float16(name):
    d2l = bind(demand(name))
    rng = np.random.default_rng(0)
    for scale_x, scale_k in ((2e-5, 1), (6e-3, 1e-3)):  # subnormal operands, subnormal products
        X = (rng.standard_normal((5, 6)) * scale_x).astype("f2")
        K = (rng.standard_normal((2, 3)) * scale_k).astype("f2")
        for method in METHODS:
            actual = d2l.to_numpy(d2l.corr2d(X, K, method=method))
            assert actual.all(), method
            check(actual, X, K, method)


# Gradients.


def check_gradients(dX, dK, X, K, G, what=""):
    X_, K_, G_ = map(rational, (X, K, G))
    assert_within(dK, rationals.corr2d(X_, G_), bounds.kernel_gradient(X, G), f"dK {what}")
    bound = bounds.image_gradient(K, G)
    assert_within(dX, rationals.image_gradient(K_, G_), bound, f"dX {what}")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", ["normal", "cancelling", "range", "large", "small"])
def test_no_gradient_in_no_backend_is_beyond_its_bound(d2l, dtype, kind):
    method = registry.load(d2l.name).methods.METHODS["exact"]
    X, K = operands((6, 5), (2, 3), dtype, kind)
    G = numbers((5, 3), dtype, kind, np.random.default_rng(9))
    X_, K_, G_ = (d2l.tensor(t[None, None]) for t in (X, K, G))
    geometry = form(X.shape, K.shape).geometry
    dX, dK = method.image_gradient(K_, G_, geometry), method.kernel_gradient(X_, G_, geometry)
    check_gradients(d2l.to_numpy(dX)[0, 0], d2l.to_numpy(dK)[0, 0], X, K, G)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_no_framework_differentiates_a_method_beyond_the_bound(framework, method, dtype):
    d2l = bind(framework)
    for kind in ("normal", "cancelling", "range"):
        X, K = operands((6, 5), (2, 3), dtype, kind)
        G = numbers((5, 3), dtype, kind, np.random.default_rng(9))
        _, (dX, dK) = registry.load(framework).autodiff.vjp(
            lambda X, K: d2l.corr2d(X, K, method=method),
            [d2l.tensor(X), d2l.tensor(K)],
            d2l.tensor(G),
        )
        check_gradients(d2l.to_numpy(dX), d2l.to_numpy(dK), X, K, G, kind)


@pytest.mark.parametrize("method", [*METHODS, "fft"])
def test_jax_differentiates_float64_by_its_own_means_in_float64(method):
    """JAX's switch for float64 is on for the length of a call, and the gradient comes later."""
    d2l = bind(demand("jax"))
    import jax

    X, K = operands((6, 5), (2, 3), "float64", "normal")
    image = d2l.tensor(X)
    ones = np.ones((5, 3))
    # Not jax.grad of a sum: that sum would be JAX's own, and outside the switch in float32.
    _, pull = jax.vjp(lambda K: d2l.corr2d(image, K, method=method), d2l.tensor(K))
    (dK,) = pull(d2l.tensor(ones))
    bound = bounds.fft(X, ones) if method == "fft" else bounds.kernel_gradient(X, ones)
    true = rationals.corr2d(rational(X), rational(ones))
    assert_within(d2l.to_numpy(dK), true, bound)


# The Fourier transform.

SIDES = [
    ((1, 1), (1, 1)),
    ((3, 5), (2, 2)),
    ((8, 8), (3, 3)),
    ((7, 13), (1, 6)),
    ((17, 10), (5, 4)),
]


def check_fft(actual, X, K, what=""):
    true = rationals.corr2d(rational(X), rational(K))
    return assert_within(actual, true, bounds.fft(X, K, actual.dtype), what)


def without_fourier(d2l):
    """Whether this is MXNet, which then has to refuse the method."""
    if d2l.name == "mxnet":
        with pytest.raises(dc.ArgumentError, match="MXNet has no Fourier transform on the CPU"):
            d2l.corr2d([[1, 2]], [[1]], method="fft")
    return d2l.name == "mxnet"


@pytest.mark.parametrize("dtype", TYPES)
def test_no_fourier_transform_is_beyond_its_bound(d2l, dtype):
    if without_fourier(d2l):
        return
    for kind in ("normal", "cancelling", "range", "large", "small"):
        for image, kernel in SIDES:
            X, K = operands(image, kernel, dtype, kind)
            check_fft(d2l.to_numpy(d2l.corr2d(X, K, method="fft")), X, K, f"{kind} {image}")


def fft_in_float64(X, K, size, real):
    if real:
        product = np.fft.rfft2(X, size) * np.conj(np.fft.rfft2(K, size))
        Y = np.fft.irfft2(product, size)
    else:
        Y = np.fft.ifft2(np.fft.fft2(X, size) * np.conj(np.fft.fft2(K, size))).real
    return Y[: X.shape[0] - K.shape[0] + 1, : X.shape[1] - K.shape[1] + 1]


@pytest.mark.parametrize("real", [True, False])
def test_no_fourier_transform_in_float64_is_beyond_its_bound(real):
    """The smallest errors of all: the bound itself must not be rounded away."""
    used = 0.0
    for seed, (image, kernel) in enumerate(SIDES * 3):
        X, K = operands(image, kernel, "float64", "normal", seed)
        for extra in (0, kernel[0] - 1):  # cyclic, or with room for the kernel
            size = [1 << (side + extra - 1).bit_length() for side in image]
            used = max(used, check_fft(fft_in_float64(X, K, size, real), X, K))
    assert used > 0.001


def test_the_fourier_bound_in_float64_is_that_of_float32_but_for_the_roundoff():
    X, K = operands((17, 10), (5, 4), "float32", "normal")
    narrow, wide = bounds.fft(X, K, "float32"), bounds.fft(X, K, "float64")
    # exp(t) - 1 is about t * (1 + t / 2), and gamma(n) is less than (1 + t / 4) * n * u.
    t = narrow.max() / (np.linalg.norm(X) * np.linalg.norm(K))
    np.testing.assert_allclose(wide * 2**29, narrow, rtol=t)


@pytest.mark.parametrize("value", [2.5e38, 1e38])
def test_a_transform_that_overflows_inside_is_not_beyond_the_bound(d2l, value):
    """All sums are below the largest number, but packing and complex products need room."""
    if without_fourier(d2l):
        return
    K = np.full((1, 1), 1e-19, "f4")
    for place in [(0, 0), (3, 5), (6, 11)]:
        X = np.zeros((7, 12), "f4")
        X[place] = value
        check_fft(d2l.to_numpy(d2l.corr2d(X, K, method="fft")), X, K)
        check_fft(d2l.to_numpy(d2l.corr2d(X / 8, K, method="fft")), X / 8, K)
    assert np.isinf(bounds.fft(X, K)).all()
    assert np.isfinite(bounds.fft(X / 8, K)).all()


def test_the_fourier_bound_is_infinite_where_a_transform_overflows():
    X, K = np.full((2, 4), 1e-30, "f4"), np.full((1, 4), 3e38, "f4")
    assert np.isinf(bounds.fft(X, K)).all()  # the sum of K overflows, no output does
    assert np.isfinite(bounds.corr2d(X, K)).all()
    assert np.isinf(bounds.fft([[np.inf, 1]], [[1]])).all()
    assert np.isinf(bounds.fft(np.float16([[300, 1]]), np.float16([[300]]))[0, 0])


# Learning.


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("layer", ["exact", "builtin"])
def test_no_learning_in_no_backend_is_beyond_its_bound(d2l, layer, dtype):
    refused = {"numpy": "NumPy has no convolutional layer of its own"}
    if dtype == "float16":
        refused["mxnet"] = "FP16 gemm on cpu not implemented"
    if layer == "builtin" and d2l.name in refused:
        X = np.ones((4, 5), dtype)
        with pytest.raises((dc.ArgumentError, RuntimeError), match=refused[d2l.name]):
            d2l.learn_kernel(X, X[:, 1:], (1, 2), epochs=1, layer=layer)
        return
    for image, kernel, lr in [
        ((4, 5), (1, 2), 3e-2),
        ((4, 4), (2, 2), 1e-2),
        ((3, 3), (3, 3), 0.09),
    ]:
        X, initial = operands(image, kernel, dtype, "normal")
        Y = dc.numpy.corr2d(X, operands(image, kernel, dtype, "normal", 1)[1])
        learned = d2l.learn_kernel(X, Y, kernel, lr=lr, epochs=6, init=initial, layer=layer)
        check_learning(np.array(learned.losses), d2l.to_numpy(learned.kernel), X, Y, initial, lr)


def check_learning(losses, learned, X, Y, initial, lr):
    true_losses, true_kernel = rationals.learning(
        *map(rational, (X, Y, initial)), Fraction(lr), len(losses)
    )
    bound = bounds.learning(X, Y, initial, lr=lr, epochs=len(losses), dtype=learned.dtype)
    return max(
        assert_within(losses, true_losses, bound[0], "losses"),
        assert_within(learned, true_kernel, bound[1], "kernel"),
    )


@PROPERTY
@given(
    st.sampled_from(TYPES),
    st.sampled_from([1e-9, 3e-5, 1e-3, 3e-2, 0.3]),
    st.integers(0, 10**6),
    st.sampled_from([1e-5, 1.0, 30.0, 1000.0]),
)
@example("float16", 3e-5, 0, 30.0)  # a learning rate that is subnormal in float16
@example("float16", 2.9e-8, 2, 30.0)  # and one that is 0
@example("float16", 2e-8, 3, 30.0)
def test_no_learning_rate_and_no_scale_leads_learning_beyond_its_bound(dtype, lr, seed, scale):
    rng = np.random.default_rng(seed)
    X, Y = ((scale * rng.standard_normal(s)).astype(dtype) for s in ((3, 4), (3, 3)))
    initial = rng.standard_normal((1, 2)).astype(dtype)
    try:
        learned = dc.numpy.learn_kernel(X, Y, (1, 2), lr=lr, epochs=4, init=initial)
    except dc.Diverged:
        return  # there is no result
    check_learning(np.array(learned.losses), learned.kernel, X, Y, initial, lr)


def test_the_bound_of_learning_shrinks_where_learning_converges():
    X = dc.numpy.edge_image()
    Y = dc.numpy.corr2d(X, [[1, -1]])
    losses, kernel = bounds.learning(X, Y, [[0.3, 0.6]], lr=3e-2, epochs=300)
    assert kernel.max() < 1e-4
    assert losses[-1] < losses[0]


def test_learning_with_a_target_of_another_shape_is_refused():
    with pytest.raises(dc.ShapeError, match=r"Y has the shape \(1, 3\)"):
        bounds.learning([[1, 2, 3]], [[1, 2, 3]], [[1, 2]], lr=0.1, epochs=1)
