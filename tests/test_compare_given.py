"""The comparison takes numbers as they are given: nothing is rounded before it is compared."""

import math
from fractions import Fraction

import honest
import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

import d2lconv as dc
from d2lconv.parity import bounds, compare, values

corr2d = dc.numpy.corr2d
PROPERTY = examples(150)
X3, K3 = [[0.1, 0.2, 0.3]], [[1, 1, 1]]

# Values and their types.


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (0.1, 0.1 + 1e-9),
        ([0.1], [math.nextafter(0.1, 1)]),
        ([2**53 + 1], [2**53]),
        ([2**64 + 1, 0.5], [2**64, 0.5]),
        (np.array([2**53 + 1]), np.array([2.0**53])),
        (np.array([16777217]), np.array([16777216])),
        (np.array([2**64 - 1], "u8"), np.array([2.0**64])),
        (Fraction(1, 3), 1 / 3),
        (np.float32([0.1]), [0.1]),
        ([0.0], [-0.0]),
    ],
    ids=str,
)
def test_different_numbers_are_not_identical_whatever_their_type(actual, expected):
    for pair in ((actual, expected), (expected, actual)):
        found = compare(*pair)
        assert (found.verdict, found.identical) == ("bug", False)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.float64([[0.1]]), [[0.1]]),
        (np.float32([0.5, 2]), [0.5, 2]),
        (np.array([1, 2]), np.float16([1, 2])),
        (np.array([2**53 + 1]), [2**53 + 1]),
        ([True, False], [1, 0.0]),
        ([Fraction(1, 4)], [0.25]),
        ([math.nan, math.inf], np.float32([math.nan, math.inf])),
    ],
    ids=str,
)
def test_equal_numbers_are_identical_where_one_has_no_floating_type(actual, expected):
    assert compare(actual, expected).identical
    assert compare(expected, actual).identical


def test_integers_of_a_framework_are_compared_exactly(framework):
    native = {
        "numpy": lambda n: np.array(n),
        "torch": lambda n: __import__("torch").tensor(n),
        "tf": lambda n: __import__("tensorflow").constant(n, "int64"),
    }.get(framework)
    if native is None:
        pytest.skip("its tensors have no integers of 64 bits, but by a switch")
    assert compare(native([2**53 + 1]), [2**53 + 1]).identical
    assert compare(native([2**53 + 1]), native([2**53])).verdict == "bug"


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.fractions(), st.floats(width=32), st.booleans()
)


@PROPERTY
@given(NUMBERS, NUMBERS, st.floats(0, 2.0**60))
def test_any_two_numbers_are_identical_if_they_are_equal(x, y, bound):
    found = compare([x, 0], [y, 0])
    same = math.isnan(x) and math.isnan(y) if x != y else True
    signs = [math.copysign(1, t) for t in (x, y) if t == 0]
    assert found.identical == (same and len(set(signs)) < 2)
    if math.isfinite(x) and math.isfinite(y):
        within = abs(Fraction(x) - Fraction(y)) <= Fraction(bound) * (1 + Fraction(1, 2**52))
        if compare([x], [y], bound=bound).verdict != "bug":
            assert within
        elif abs(Fraction(x) - Fraction(y)) > 5e-324:
            assert abs(Fraction(x) - Fraction(y)) * (1 + Fraction(1, 2**52)) > Fraction(bound)


def test_a_message_has_the_digits_in_which_two_numbers_differ():
    assert "0.10000000149011612 is not 0.1," in str(compare(np.float32([0.1]), [0.1]))
    assert "9007199254740993 is not 9007199254740992" in str(compare([2**53 + 1], [2**53]))


# The true value is that of the operands as given.


def test_the_operands_are_not_rounded_before_one_result_is_blamed():
    right, off = np.array([[0.6]]), np.array([[0.6 + 1e-10]])
    found = compare(off, right, X=X3, K=K3)
    assert "The true value is 0.6, so actual is wrong" in found.reason
    found = compare(right, off, X=np.float64(X3), K=K3)
    assert "The true value is 0.6, so expected is wrong" in found.reason


def test_a_result_of_operands_that_were_cast_is_said_to_be_right_for_them():
    cast = corr2d(np.float32(X3), np.float32(K3))
    found = compare(cast.astype("f8"), np.array([[0.6]]), X=X3, K=K3)
    assert "so actual is wrong" in found.reason
    assert "actual is right for X and K as cast to float32" in found.reason
    assert compare(cast, np.array([[0.6]]), X=X3, K=K3).verdict == "rounding"


def test_a_message_names_the_true_value_of_the_operands_as_given_and_as_cast():
    reason = compare(np.float32([[0.61]]), np.float32([[0.6]]), X=X3, K=K3).reason
    cast = float(sum(map(Fraction, np.float32(X3)[0].tolist())))
    assert "The true value is 0.6 of X and K as given" in reason
    assert f"{cast!r} of them as cast to float32, so actual is wrong" in reason


def test_numbers_in_lists_are_judged_in_the_type_of_the_others():
    """What was printed in decimals is one rounding more; else a list is float64."""
    X, K = np.float32(X3), np.float32(K3)
    printed = [[0.6000001]]
    assert compare(printed, [[0.6]], X=X, K=K).verdict == "rounding"
    assert compare(printed, np.float32([[0.6]]), X=X3, K=K3).verdict == "rounding"
    assert compare(printed, [[0.6]], X=X3, K=K3).verdict == "bug"
    assert compare(np.float32(printed).tolist(), np.float32([[0.6]]).tolist(), X=X, K=K).share <= 1


@PROPERTY
@given(st.sampled_from(["float16", "float32", "float64"]), st.integers(0, 10**6), st.booleans())
def test_honest_results_of_operands_of_any_precision_are_never_bugs(dtype, seed, wide):
    rng = np.random.default_rng(seed)
    X, K = rng.standard_normal((4, 5)), rng.standard_normal((2, 3))
    results = [corr2d(X.astype(dtype), K.astype(dtype)), corr2d(X, K)]
    operands = (X, K) if wide else (X.tolist(), K.tolist())
    found = compare(*results, X=operands[0], K=operands[1])
    assert found.verdict in ("identical", "rounding"), found
    cast = X.astype(dtype).tolist(), K.astype(dtype).tolist()
    found = compare(results[0], results[0][:], X=cast[0], K=cast[1])
    assert found.identical


# A bias.


def biased(algorithm, X, K, bias):
    """The sums with the bias as one product more, first or last."""
    x, k = honest.factors(X, K)
    more = np.full((*x.shape[:-1], 1), bias, X.dtype)
    ones = np.ones_like(more)
    return [
        algorithm(np.concatenate(xs, -1), np.concatenate(ks, -1))
        for xs, ks in (([x, more], [k, ones]), ([more, x], [ones, k]))
    ]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("algorithm", honest.ALL, ids=lambda f: f.__name__)
@pytest.mark.parametrize("bias", [100.0, -0.1, 1e-7])
def test_a_bias_added_anywhere_is_rounding(algorithm, dtype, bias):
    rng = np.random.default_rng(0)
    X, K = rng.random((5, 6)).astype(dtype), rng.standard_normal((2, 3)).astype(dtype)
    first, last = biased(algorithm, X, K, bias)
    after = algorithm(*honest.factors(X, K)) + np.asarray(bias, dtype)
    for result in (first, last):
        found = compare(result, after, X=X, K=K, bias=bias)
        assert found.verdict in ("identical", "rounding"), found
    same = compare(first, after, X=X, K=K, bias=np.full((1,), bias, dtype))
    assert same.verdict in ("identical", "rounding")


@pytest.mark.parametrize("bias", [100.0, 1e-5, -0.5])
def test_a_bias_that_is_missing_or_added_twice_is_blamed_on_the_right_one(bias):
    rng = np.random.default_rng(0)
    X, K = rng.random((30, 40), "f4"), rng.random((3, 3), "f4")
    right = corr2d(X, K) + np.float32(bias)
    for wrong in (corr2d(X, K), right + np.float32(bias)):
        found = compare(wrong, right, X=X, K=K, bias=bias)
        assert found.verdict == "bug"
        assert "so actual is wrong" in found.reason
        assert "so expected is wrong" in compare(right, wrong, X=X, K=K, bias=bias).reason


@PROPERTY
@given(
    st.floats(-(2.0**99), 2.0**99, width=32), st.integers(0, 1000), st.sampled_from(honest.ALL[:5])
)
def test_no_bias_leads_an_honest_sum_beyond_its_bound(bias, seed, algorithm):
    rng = np.random.default_rng(seed)
    X, K = rng.standard_normal((3, 4)).astype("f4"), rng.standard_normal((2, 2)).astype("f4")
    bound = bounds.corr2d(X, K, bias=bias)
    x, k = (t.astype(object) for t in honest.factors(X, K))
    for result in biased(algorithm, X, K, bias):
        for place in np.ndindex(result.shape):
            true = sum(Fraction(a) * Fraction(b) for a, b in zip(x[place], k[place], strict=True))
            error = abs(Fraction(float(result[place])) - true - Fraction(bias))
            assert error <= bound[place]


def test_a_bias_that_is_infinite_or_too_large_for_the_type():
    X, K = np.float32([[1, 2]]), np.float32([[1]])
    infinite = np.full((1, 2), np.inf, "f4")
    assert compare(infinite, infinite, X=X, K=K, bias=math.inf).identical
    assert compare(np.float32([[1, 2]]), infinite, X=X, K=K, bias=math.inf).verdict == "bug"
    assert compare(infinite, infinite.astype("f8"), X=X, K=K, bias=1e39).verdict == "rounding"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bias": 1}, dc.ArgumentError, "bias is given without X and K"),
        ({"bias": 1, "bound": 1}, dc.ArgumentError, "bias is given without X and K"),
        ({"X": [[1]], "K": [[1]], "bias": [1, 2]}, dc.ShapeError, r"bias has the shape \(2,\)"),
        ({"X": [[1]], "K": [[1]], "bias": "1"}, dc.DTypeError, "text"),
    ],
)
def test_a_bias_that_makes_no_sense_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        compare([[1]], [[1]], **options)


# Results of one channel of one image.


@pytest.mark.parametrize("lead", [(1,), (1, 1)])
def test_a_result_may_have_the_dimensions_of_image_and_channel(lead):
    rng = np.random.default_rng(0)
    X, K = rng.random((5, 7), "f4"), rng.random((3, 3), "f4")
    flat = corr2d(X, K)
    deep = flat.reshape(lead + flat.shape)
    for one, other in ((deep, flat), (flat, deep), (deep, deep)):
        assert compare(one, other, X=X, K=K).identical
        wrong = one.copy()
        wrong[..., 1, 2] += 1
        found = compare(wrong, other, X=X, K=K)
        assert (found.verdict, found.worst) == ("bug", (0,) * (other.ndim - 2) + (1, 2))
        assert found.shares.shape == other.shape
        assert "so actual is wrong" in found.reason
    assert compare(deep, flat).verdict == "bug"  # without X and K, shapes are part of the claim
    assert compare(deep.swapaxes(-1, -2), flat, X=X, K=K).verdict == "bug"
    with pytest.raises(dc.ShapeError, match="give results of shape"):
        compare(deep, deep.swapaxes(-1, -2), X=X, K=K)


def test_reading_keeps_every_number():
    read = values.read([[2**70, 0.5], [Fraction(1, 3), math.inf]])
    found = [read.number(place) for place in np.ndindex(2, 2)]
    assert found == [2**70, Fraction(1, 2), Fraction(1, 3), math.inf]
    assert read.held_by("float32").tolist() == [[True, True], [False, True]]
