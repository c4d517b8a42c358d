"""Where the bound is larger than the values, "rounding" never stands without saying so."""

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

import d2lconv as dc
from d2lconv.parity import compare

corr2d = dc.numpy.corr2d
WORDS = "the bound is larger than the values"
TYPES = ["float16", "float32", "float64"]
PROPERTY = examples(150)


def operands(side, dtype, seed=0):
    rng = np.random.default_rng([seed, side])
    X, K = (rng.standard_normal((n, n)).astype(dtype) for n in (side + 9, side))
    return X, K


@pytest.mark.parametrize(
    "wrong",
    [
        lambda X, K: np.zeros_like(corr2d(X, K)),
        lambda X, K: -corr2d(X, K),
        lambda X, K: dc.numpy.conv2d(X, K),
        lambda X, K: corr2d(np.roll(X, 1, axis=1), K),
    ],
    ids=["zero", "negated", "flipped", "shifted"],
)
def test_a_wrong_output_within_a_blind_bound_is_not_called_rounding_without_a_word(wrong):
    X, K = operands(21, "float16")
    found = compare(wrong(X, K), corr2d(X, K), X=X, K=K)
    assert found.verdict == "imprecise", found  # the bound is larger than it
    assert found.errors["actual"] > 100
    assert compare(wrong(X, K), corr2d(X, K), X=X, K=K, precision="any").blind > 1 / 2


@examples(40)
@given(
    st.sampled_from(TYPES),
    st.integers(1, 25),
    st.integers(0, 10**6),
    st.sampled_from([0, -1, 0.5]),
)
def test_no_output_of_zeros_or_with_another_sign_passes_without_a_word(dtype, side, seed, factor):
    X, K = operands(side, dtype, seed)
    expected = corr2d(X, K)
    found = compare(expected * expected.dtype.type(factor), expected, X=X, K=K)
    assert found.verdict in ("bug", "imprecise"), found
    found = compare(expected * expected.dtype.type(factor), expected, X=X, K=K, precision="any")
    if factor != 0.5:  # half of the values may be within a bound that is smaller than they
        assert found.verdict == "bug" or (found.blind == 1 and WORDS in found.reason), found


@pytest.mark.parametrize("factor", [0, -1])
@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0, 4.0, np.inf])
def test_a_bound_of_ones_own_is_blind_in_the_same_words(factor, bound):
    expected = np.float32([1, 2, -3, 0])
    found = compare(factor * expected, expected, bound=bound)
    assert found.verdict == "bug" or WORDS in found.reason


@PROPERTY
@given(st.sampled_from(["float32", "float64"]), st.integers(1, 15), st.integers(0, 10**6))
def test_ordinary_results_are_seen(dtype, side, seed):
    X, K = operands(side, dtype, seed)
    other = corr2d(X[::-1, ::-1], K[::-1, ::-1])[::-1, ::-1]
    found = compare(other, corr2d(X, K), X=X, K=K)
    assert found.verdict in ("identical", "rounding")
    assert found.blind < 0.5
    assert WORDS not in found.reason


def test_elements_that_are_equal_are_no_matter():
    """An image of edges is zero nearly everywhere; nothing differs there."""
    expected = np.float32([0, 0, 0, 0, 1, 1, 1])
    found = compare(np.nextafter(expected, expected * 2), expected, bound=1e-6)
    assert (found.verdict, found.blind) == ("rounding", 0)
