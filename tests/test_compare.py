"""The comparison: faults are bugs, other orders and types are rounding, and the edges are right."""

import math
from fractions import Fraction

import honest
import numpy as np
import pytest
from chosen import demand
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

import d2lconv as dc
from d2lconv.binding import bind
from d2lconv.core import reference
from d2lconv.parity import bounds, compare, ulp_distance

corr2d = dc.numpy.corr2d
SHAPES = [(1, 2), (2, 1), (2, 2), (2, 3), (3, 3), (5, 4), (7, 7), (11, 3), (15, 15)]
CASES = [
    *((shape, dtype) for shape in SHAPES for dtype in ("float32", "float64")),
    *((shape, "float16") for shape in SHAPES if math.prod(shape) <= 20),
]
over_cases = pytest.mark.parametrize(("shape", "dtype"), CASES, ids=str)


def operands(shape, dtype, seed=0, scale=1.0):
    rng = np.random.default_rng([seed, *shape])
    kh, kw = shape
    X, K = rng.standard_normal((kh + 9, kw + 11)), rng.standard_normal(shape)
    return (scale * X).astype(dtype), (scale * K).astype(dtype)


# Faults.


def flipped_once(X, K):
    return corr2d(X, K[:, ::-1] if K.shape[1] > 1 else K[::-1])


def flipped_twice(X, K):
    return dc.numpy.conv2d(X, K)


def window_off_by_one(X, K):
    return corr2d(np.roll(X, -1, axis=1), K)


def window_off_by_one_row(X, K):
    return corr2d(np.roll(X, 1, axis=0), K)


def dropped_tap(X, K):
    K = K.copy()
    K[-1, -1] = 0
    return corr2d(X, K)


def wrong_sign_of_a_tap(X, K):
    K = K.copy()
    K[0, 0] = -K[0, 0]
    return corr2d(X, K)


def doubled_tap(X, K):
    K = K.copy()
    K[0, -1] *= 2
    return corr2d(X, K)


def axes_in_the_wrong_order(X, K):
    return corr2d(X, K.reshape(K.shape[::-1]).T)


def padded(X, K):
    """Zeros around the image, and the first places instead of the valid ones."""
    (kh, kw), (h, w) = K.shape, X.shape
    X = np.pad(X, [(kh // 2, kh), (kw // 2, kw)])
    return corr2d(X, K)[: h - kh + 1, : w - kw + 1]


FAULTS = [
    flipped_once,
    flipped_twice,
    window_off_by_one,
    window_off_by_one_row,
    dropped_tap,
    wrong_sign_of_a_tap,
    doubled_tap,
    axes_in_the_wrong_order,
    padded,
]


@over_cases
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_fault_is_a_bug(fault, shape, dtype):
    X, K = operands(shape, dtype)
    actual = fault(X, K)
    if fault is axes_in_the_wrong_order and 1 in shape:
        np.testing.assert_array_equal(actual, corr2d(X, K))  # a row has no other order
        return
    found = compare(actual, corr2d(X, K), X=X, K=K)
    assert found.verdict == "bug", found
    assert found.share > 1
    assert "so actual is wrong" in found.reason
    assert "so expected is wrong" in compare(corr2d(X, K), actual, X=X, K=K).reason


@over_cases
def test_a_fault_behind_a_fourier_transform_is_a_bug(shape, dtype):
    X, K = operands(shape, dtype)
    bound = bounds.fft(X, K) + bounds.corr2d(X, K)
    expected = corr2d(X, K)
    assert compare(corr2d(X, K, method="fft"), expected, bound=bound).verdict != "bug"
    for fault in FAULTS:
        if fault is not axes_in_the_wrong_order or 1 not in shape:
            assert compare(fault(X, K), expected, bound=bound).verdict == "bug", fault


def test_a_fault_behind_a_large_fourier_transform_is_a_bug():
    rng = np.random.default_rng(0)
    X, K = rng.random((256, 256), "f4"), rng.standard_normal((15, 15), "f4")
    bound = bounds.fft(X, K) + bounds.corr2d(X, K)
    assert compare(dropped_tap(X, K), corr2d(X, K), bound=bound).verdict == "bug"


@pytest.mark.parametrize("fault", FAULTS[:7], ids=lambda f: f.__name__)
@pytest.mark.parametrize("scale", [1e-2, 3e-3])
def test_a_fault_in_small_numbers_of_float16_is_a_bug(fault, scale):
    """Products that are subnormal, sums that are hardly normal: float16 is not flushed."""
    X, K = operands((3, 3), "float16", scale=scale)
    assert compare(fault(X, K), corr2d(X, K), X=X, K=K).verdict == "bug"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("narrow", ["float16", "float32"])
def test_a_narrower_type_passed_off_as_a_wider_one_is_a_bug(shape, narrow):
    wide = {"float16": "float32", "float32": "float64"}[narrow]
    X, K = operands(shape, narrow)
    actual = honest.sequential(*honest.factors(X, K)).astype(wide)
    X, K = X.astype(wide), K.astype(wide)
    found = compare(actual, corr2d(X, K), X=X, K=K)
    assert found.verdict == "bug", found
    assert "so actual is wrong" in found.reason


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 3), (7, 7)], ids=str)
def test_operands_in_a_narrower_type_are_a_bug(shape):
    """As TF32 and bfloat16 do it: the factors rounded, the sum in float32."""
    X, K = operands(shape, "float32")
    x, k = (t.astype("f2").astype("f4") for t in (X, K))
    assert compare(corr2d(x, k), corr2d(X, K), X=X, K=K).verdict == "bug"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("factor", [0.5, 2, -1])
def test_a_gradient_with_a_wrong_factor_is_a_bug(dtype, factor):
    """The gradient of the squared error: the factor 2 is easily lost."""
    X, K = operands((3, 2), dtype)
    D = corr2d(X, K) - corr2d(X, K[::-1])
    G = (D + D)[:5, :4]
    X = X[:7, :5]
    dK, dX = reference.kernel_gradient(X, G), reference.image_gradient(K, G)
    for gradient, bound in (
        (dK, bounds.kernel_gradient(X, G)),
        (dX, bounds.image_gradient(K, G)),
    ):
        wrong = gradient * gradient.dtype.type(factor)
        assert compare(wrong, gradient, bound=2 * bound).verdict == "bug"
        assert compare(gradient, gradient, bound=2 * bound).verdict == "identical"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [1 / 2, 2, 1.001])
def test_learning_with_a_wrong_gradient_is_a_bug(dtype, rate):
    X = dc.numpy.edge_image().astype(dtype)
    Y, initial = corr2d(X, [[1, -1]]), np.array([[0.7, 0.6]], dtype)
    right, wrong = (
        dc.numpy.learn_kernel(X, Y, (1, 2), lr=lr, epochs=10, init=initial)
        for lr in (1e-2, 1e-2 * rate)
    )
    losses, kernel = bounds.learning(X, Y, initial, lr=1e-2, epochs=10)
    assert compare(wrong.kernel, right.kernel, bound=2 * kernel).verdict == "bug"
    found = compare(np.array(wrong.losses), np.array(right.losses), bound=2 * losses)
    assert found.verdict == "bug"


def test_a_fault_is_a_bug_in_every_framework_and_its_own_methods_are_not(d2l):
    X, K = operands((3, 2), "float32")
    expected = corr2d(X, K)
    tensors = d2l.tensor(X), d2l.tensor(K)
    for method in ("exact", "loop", "matmul", "native"):
        actual = d2l.corr2d(*tensors, method=method)
        found = compare(actual, expected, X=tensors[0], K=tensors[1])
        assert found.verdict in ("identical", "rounding"), (method, found)
        wrong = d2l.conv2d(*tensors, method=method)
        assert compare(wrong, expected, X=X, K=K).verdict == "bug"
    assert compare(d2l.corr2d(*tensors), expected).verdict == "identical"
    bound = d2l.tensor(bounds.corr2d(X, K), "float64")
    assert compare(wrong, d2l.tensor(expected), bound=bound).verdict == "bug"


@pytest.mark.together
def test_tensors_of_two_frameworks_can_be_compared():
    torch, jax = (bind(demand(name)) for name in ("torch", "jax"))
    X, K = operands((3, 2), "float32")
    found = compare(torch.corr2d(X, K), jax.corr2d(X, K), X=torch.tensor(X), K=jax.tensor(K))
    assert found.identical


# Honest alternatives.


@over_cases
@pytest.mark.parametrize("algorithm", honest.ALL, ids=lambda f: f.__name__)
def test_another_honest_algorithm_is_rounding(algorithm, shape, dtype):
    if algorithm is honest.fused and math.prod(shape) > 20:
        algorithm = honest.wide  # fractions take their time
    X, K = operands(shape, dtype)
    found = compare(algorithm(*honest.factors(X, K)), corr2d(X, K), X=X, K=K)
    assert found.verdict in ("identical", "rounding"), found
    assert found.share <= 1


@pytest.mark.parametrize("wide", ["float32", "float64"])
def test_a_wider_result_may_be_compared_with_a_narrower_one(wide):
    X, K = operands((3, 3), "float16")
    true = corr2d(X.astype(wide), K.astype(wide))
    found = compare(corr2d(X, K), true, X=X, K=K)
    assert found.verdict == "rounding"
    assert 0 < found.ulp < 2**10  # in float16
    assert compare(flipped_once(X, K), true, X=X, K=K).verdict == "bug"


def test_float64_operands_of_a_float32_result_are_rounded_honestly():
    rng = np.random.default_rng(0)
    for _ in range(100):
        X, K = rng.standard_normal((3, 4)), rng.standard_normal((1, 1))
        actual, expected = corr2d(X.astype("f4"), K.astype("f4")), corr2d(X, K)
        assert compare(actual, expected, X=X, K=K).verdict == "rounding"
    assert compare(np.nextafter(actual, np.float32(9)) * 1.000001, expected, X=X, K=K).share > 1


# What it measures.


@examples(100)
@given(
    st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=6),
    st.lists(st.integers(-3, 3), min_size=6, max_size=6),
    st.floats(2**-30, 1),
)
def test_share_worst_and_ulp_are_what_they_say(values, steps, bound):
    expected = np.float32(values)
    actual = expected.copy()
    for i, step in enumerate(steps[: actual.size]):
        for _ in range(abs(step)):
            actual[i] = np.nextafter(actual[i], np.float32(math.copysign(math.inf, step)))
    found = compare(actual, expected, bound=bound)
    shares = np.abs(actual.astype(float) - expected.astype(float)) / bound
    np.testing.assert_array_equal(found.shares, shares)
    assert found.share == shares.max()
    assert found.ulp == ulp_distance(actual, expected).max()
    assert found.worst == ((int(shares.argmax()),) if shares.any() else None)
    assert found.identical == (not shares.any() and found.verdict == "identical")
    assert found.verdict in ({"identical", "rounding"} if shares.max() <= 1 else {"bug"})


def test_the_largest_share_is_not_the_largest_difference():
    found = compare(np.float32([[1.5, 2.25]]), np.float32([[1, 2]]), bound=[[1, 0.25]])
    assert (found.worst, found.share, found.verdict) == ((0, 1), 1.0, "rounding")
    np.testing.assert_array_equal(found.shares, [[0.5, 1]])
    assert "at (0, 1), 2.25 is not 2.0; rounding explains 0.25, and this is 1 times" in str(found)


def test_a_verdict_of_bug_tells_who_is_wrong_by_the_true_value():
    X, K = np.float32([[0.1, 0.2, 0.3]]), np.float32([[1, 1, 1]])
    true = sum(Fraction(float(x)) for x in X[0])
    right, off = np.float32([[0.6]]), np.float32([[0.61]])
    ending = f"The true value is {float(true)!r}, so {{}} is wrong"
    assert ending.format("actual") in compare(off, right, X=X, K=K).reason
    assert ending.format("expected") in compare(right, off, X=X, K=K).reason
    reason = compare(off, np.float32([[0.62]]), X=X, K=K).reason
    assert f"The true value is {float(true)!r}, so actual and expected are wrong" in reason
    assert "true value" not in compare(off, right).reason


# Edges.

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("a", "e", "verdict"),
    [
        (NAN, NAN, "identical"),
        (NAN, -NAN, "identical"),
        (INF, INF, "identical"),
        (INF, -INF, "bug"),
        (INF, 3e38, "bug"),
        (NAN, 1.0, "bug"),
        (NAN, INF, "bug"),
        (1.0, NAN, "bug"),
        (0.0, -0.0, "rounding"),
        (1.0, 1.5, "rounding"),
        (1.0, 1.6, "bug"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(a, e, verdict, dtype):
    found = compare(np.array([2, a], dtype), np.array([2, e], dtype), bound=0.5)
    assert found.verdict == verdict
    strict = compare(np.array([2, a], dtype), np.array([2, e], dtype))
    assert strict.verdict == ("identical" if verdict == "identical" else "bug")
    if verdict == "bug":
        assert found.worst == strict.worst == (1,)


def test_special_values_of_the_image_are_the_same_in_every_order():
    X = np.float32([[1, NAN, 1, INF, 1, 1, 1]])
    K = np.float32([[1, 2]])
    expected = corr2d(X, K)
    assert compare(expected.astype("f8"), expected, X=X, K=K).verdict == "rounding"
    for place, wrong in [
        ((0, 2), -INF),
        ((0, 2), 1.0),
        ((0, 0), 1.0),
        ((0, 5), INF),
        ((0, 5), NAN),
    ]:
        actual = expected.copy()
        actual[place] = wrong
        found = compare(actual, expected, X=X, K=K)
        assert (found.verdict, found.worst) == ("bug", place)


def test_where_one_order_overflows_infinity_is_rounding_and_a_wrong_number_is_not():
    X, K = np.float32([[3e38, 3e38, -3e38]]), np.float32([[1, 1, 1]])
    one, other = corr2d(X, K), np.float32([[3e38]])
    ulp = int(ulp_distance(one, other)[0, 0])
    assert np.isinf(one).all()
    found = compare(one, other, X=X, K=K)
    assert (found.verdict, found.worst, found.ulp) == ("rounding", (0, 0), ulp)
    assert "the bound is infinite there" in found.reason
    assert compare(np.float32([[NAN]]), other, X=X, K=K).verdict == "rounding"
    found = compare(np.float32([[2e38]]), other, X=X, K=K)
    assert found.verdict == "bug"
    assert "so actual is wrong" in found.reason


def test_nothing_is_reported_where_the_sum_is_beyond_all_numbers():
    X, K = np.array([[1.5e308, 1.5e308]]), np.array([[1.0, 1.0]])
    found = compare(np.float32([[1.0]]), np.float32([[2.0]]), X=X, K=K)
    assert (found.verdict, found.worst) == ("rounding", (0, 0))
    assert "nothing can be told" in found.reason


def test_an_infinite_bound_does_not_make_different_values_equal():
    found = compare(np.float32([1, NAN]), np.float32([1, 2]), bound=[1, INF])
    assert (found.verdict, found.share, found.worst) == ("rounding", 0, (1,))
    assert found.ulp == 2**64 - 1
    assert "the bound is infinite there" in found.reason


def test_types_may_differ_where_a_bound_is_given():
    a, e = np.float32([1, 2]), np.float64([1, 2])
    found = compare(a, e)
    assert (found.verdict, found.share, found.ulp, found.worst) == ("bug", 0, 0, None)
    assert "float32 is not float64" in found.reason
    assert compare(a, e, bound=0).verdict == "rounding"
    assert compare(a, e + 2.0**-40, bound=2.0**-40).verdict == "rounding"
    assert compare(a, e + 2.0**-40, bound=0).ulp == 0  # float32 has no such digits


def test_signs_of_zeros_differ_and_values_do_not():
    found = compare(np.float32([0.0, 1]), np.float32([-0.0, 1]))
    assert (found.verdict, found.share, found.worst) == ("bug", 0, None)
    assert "signs of zeros" in found.reason


def test_shapes_that_differ_are_a_bug():
    found = compare(np.zeros((2, 3), "f4"), np.zeros((3, 2), "f4"), bound=1)
    assert (found.verdict, found.ulp, found.shares) == ("bug", None, None)
    assert "(2, 3) is not (3, 2)" in found.reason
    X, K = operands((3, 3), "float32")
    same_size = corr2d(np.pad(X, 1), K)
    assert compare(same_size, corr2d(X, K), X=X, K=K).verdict == "bug"


@pytest.mark.parametrize("shape", [(), (1,), (2, 1, 2)])
def test_any_number_of_dimensions(shape):
    one, more = np.full(shape, 1, "f4"), np.full(shape, 1.25, "f4")
    found = compare(more, one, bound=0.25)
    assert (found.verdict, found.share, found.worst) == ("rounding", 1, (0,) * len(shape))
    assert compare(more, one, bound=0.2).verdict == "bug"
    assert compare(one, one).verdict == "identical"


def test_results_without_elements():
    none = np.zeros((0, 3), "f4")
    assert compare(none, none).verdict == "identical"
    assert compare(none, none.astype("f8"), bound=1).verdict == "rounding"


@pytest.mark.parametrize("bound", [1e-60, 1e-300, 5e-324])
def test_a_bound_keeps_its_digits(bound):
    a = np.array([0.0, bound])
    assert compare(a, np.zeros(2), bound=bound).share == 1
    assert compare(2 * a, np.zeros(2), bound=[bound, bound]).verdict == "bug"
    assert compare(np.array([1e300]), np.array([0.0]), bound=1e200).verdict == "bug"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"X": [[1, 2]]}, dc.ArgumentError, "K is missing"),
        ({"K": [[1, 2]]}, dc.ArgumentError, "X is missing"),
        ({"X": [[1, 2]], "K": [[1]], "bound": 1}, dc.ArgumentError, "bound is given, and X and K"),
        ({"K": [[1]], "bound": 1}, dc.ArgumentError, "bound is given, and X and K"),
        ({"bound": -1}, dc.ArgumentError, "negative element or NaN"),
        ({"bound": [[1, NAN]]}, dc.ArgumentError, "negative element or NaN"),
        ({"bound": [1, 2, 3]}, dc.ShapeError, r"\(3,\).*\(1, 2\)"),
        ({"bound": 1j}, dc.DTypeError, "complex"),
        ({"bound": "small"}, dc.DTypeError, "text"),
        ({"X": [[1, 2]], "K": [[1, 2]]}, dc.ShapeError, r"\(1, 1\).*\(1, 2\)"),
        ({"X": [[1]], "K": [[1, 2]]}, dc.ShapeError, "larger than the image"),
    ],
)
def test_what_makes_no_sense_is_refused_even_if_the_bits_are_the_same(options, error, message):
    with pytest.raises(error, match=message):
        compare([[1, 2]], [[1, 2]], **options)


@pytest.mark.parametrize("value", ["text", 1j, [[1], [1, 2]]])
def test_results_that_are_no_numbers_are_refused(value):
    with pytest.raises(dc.D2LConvError):
        compare(value, [[1]])
