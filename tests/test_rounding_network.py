"""Pooling and dense layers: every element is the true value, by fractions, rounded once."""

from fractions import Fraction

import numpy as np
import pytest
from geometries import DTYPES, values
from hypothesis import given
from hypothesis import strategies as st
from rationals import rational, round_exactly

from d2lconv.core import contract
from d2lconv.core.geometry import pooling
from d2lconv.errors import ArgumentError, DTypeError, ShapeError
from d2lconv.parity import same_bits
from d2lconv.rounding import means
from d2lconv.rounding.means import quotients, sums_of
from d2lconv.rounding.network import avg_pool, avg_pool_gradient, dense, dense_gradients

KINDS = ("normal", "range", "integers", "ties", "least")


def draw(rng, shape, dtype, kind):
    """Numbers of a kind, without -0; ties have few bits, and the least ones are subnormal."""
    if kind == "least":
        least = np.finfo(dtype).smallest_subnormal
        return (rng.integers(-9, 9, shape) * least).astype(dtype)
    if kind == "ties":
        small = 2.0 ** -(np.finfo(dtype).nmant + 1)
        return rng.choice([1.0, -1.0, small, 1 + small * 2], shape).astype(dtype)
    return values(rng, shape, dtype, kind) + np.dtype(dtype).type(0)


def once(true, dtype):
    """Fractions rounded once, to nearest and to even; where they are 0, +0."""
    return np.array([round_exactly(t, dtype) for t in true.flat], dtype).reshape(true.shape)


@st.composite
def windows(draw):
    """An image's shape, and the size, stride and padding of a window over it."""
    size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    image = tuple(n + draw(st.integers(0, 5)) for n in size)
    side = [st.integers(0, n // 2) for n in size]
    padding = draw(st.one_of(st.just("same"), st.tuples(*(st.tuples(s, s) for s in side))))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *image), size, stride, padding


@given(
    windows(), st.booleans(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99)
)
def test_average_pooling_is_the_true_mean_rounded_once(found, include, dtype, kind, seed):
    shape, *window = found
    geometry, _ = pooling(shape, *window)
    counts = contract.counts(geometry, include)
    X = draw(np.random.default_rng(seed), shape, dtype, kind)
    true = contract.avg_pool(rational(X), counts.astype(object), geometry)
    assert same_bits(avg_pool(X, counts, geometry), once(true, dtype))


@given(
    windows(), st.booleans(), st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99)
)
def test_its_gradient_is_the_true_one_rounded_once(found, include, dtype, kind, seed):
    shape, *window = found
    geometry, _ = pooling(shape, *window)
    counts = contract.counts(geometry, include)
    G = draw(np.random.default_rng(seed), geometry.shape, dtype, kind)
    true = contract.avg_pool_gradient(rational(G), counts.astype(object), geometry)
    assert same_bits(avg_pool_gradient(G, counts, geometry), once(true, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_quotients_of_rows_are_rounded_once(kind, dtype):
    rng = np.random.default_rng(5)
    terms, divisors = draw(rng, (400, 9), dtype, kind), rng.integers(1, 50, 400)
    terms[::2, 5:] = -terms[::2, 1:5]  # what is left is small
    multiples = rng.integers(0, 2**20, (400, 9))
    sums = rational(terms).sum(axis=1), (rational(terms) * multiples.astype(object)).sum(axis=1)
    for given_multiples, total in zip((None, multiples), sums, strict=True):
        found = quotients(terms, divisors, multiples=given_multiples)
        assert same_bits(found + np.dtype(dtype).type(0), once(total / divisors, dtype) + 0)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settled", [True, False], ids=["by all steps", "by comparison"])
def test_quotients_of_terms_one_after_the_other_are_rounded_once(settled, kind, dtype, monkeypatch):
    """Also where sums that are float64 numbers are not compared with the midpoint, but settled."""
    if settled:
        monkeypatch.setattr(means, "_adjacent", lambda a, b: np.zeros(a.shape, np.bool_))
    rng = np.random.default_rng(11)
    terms, divisors = draw(rng, (6, 3000), dtype, kind), rng.integers(1, 9, 3000)
    terms[3:, ::2] = -terms[:3, ::2] * rng.choice([1, 0.5, 0], (3, 1500)).astype(dtype)
    wide = terms.astype(np.float64) * rng.choice([1, 3, 2**20], (6, 1))
    found = sums_of(lambda: wide, divisors, dtype)
    true = rational(wide).sum(axis=0) / divisors
    assert same_bits(found + np.dtype(dtype).type(0), once(true, dtype) + 0)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_terms_that_are_zeros_or_not_finite_one_after_the_other(dtype):
    rows = [[np.inf, 1], [-np.inf, 1], [np.inf, -np.inf], [np.nan, 1], [-0.0, -0.0], [-0.0, 0]]
    expected = np.array([np.inf, -np.inf, np.nan, np.nan, -0.0, 0], dtype)
    assert same_bits(sums_of(lambda: np.float64(rows).T, 3, dtype), expected)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_quotient_that_is_a_midpoint_goes_to_even_and_beside_it_to_the_nearer(dtype):
    info = np.finfo(dtype)
    for start in (1.0, -1.0, 1 + 3 * float(info.eps), float(info.smallest_subnormal)):
        one = np.dtype(dtype).type(start)
        after = np.nextafter(one, np.dtype(dtype).type(2 * start))
        beside = float(info.smallest_subnormal) * (0 if abs(start) < 0.5 else 1)
        rows = [[one, after, one, after, one, after, e, 0] for e in (0, beside, -beside)]
        found = quotients(np.array(rows, dtype), 6)
        true = [
            Fraction(float(one)) / 2 + Fraction(float(after)) / 2 + Fraction(e) / 6
            for e in (0, beside, -beside)
        ]
        assert same_bits(found, once(np.array(true, object), dtype))


def test_what_float64_cannot_tell_from_a_midpoint_is_compared_with_it(monkeypatch):
    X = np.float32([[1, 2.0**-24, 2.0**-60], [1, 2.0**-24, 0]])
    assert quotients(X, 1).tolist() == [1 + 2.0**-23, 1]
    assert quotients(np.tile(X, 3), 3).tolist() == [1 + 2.0**-23, 1]
    monkeypatch.setattr(means, "_beside", lambda terms, divisors, low, high: low)
    assert quotients(np.tile(X, 3), 3).tolist() == [1, 1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_quotients_near_the_largest_number_do_not_overflow_before_the_division(dtype):
    top = np.finfo(dtype).max
    assert same_bits(quotients(np.full((1, 7), top), 7), np.array([top]))
    assert quotients(np.full((1, 7), top), 6).tolist() == [np.inf]
    info = np.finfo(dtype)
    # From half a unit beyond the largest number on, it is infinity.
    half = np.dtype(dtype).type(2.0 ** int(info.maxexp - info.nmant - 2))
    less = np.nextafter(half, np.zeros_like(half))
    rows = np.array([[top, top, half, half], [top, top, half, less]], dtype)
    assert quotients(rows, 2).tolist() == [np.inf, top]


@pytest.mark.parametrize("dtype", DTYPES)
def test_quotients_of_infinities_nan_and_zeros(dtype):
    rows = [[np.inf, 1], [-np.inf, 1], [np.inf, -np.inf], [np.nan, 1], [-0.0, -0.0], [-0.0, 0]]
    expected = np.array([np.inf, -np.inf, np.nan, np.nan, -0.0, 0], dtype)
    assert same_bits(quotients(np.array(rows, dtype), 3), expected)


@given(st.sampled_from(DTYPES), st.sampled_from(KINDS), st.integers(0, 99), st.booleans())
def test_a_dense_layer_and_its_gradients_are_rounded_once(dtype, kind, seed, biased):
    rng = np.random.default_rng(seed)
    n, i, o = rng.integers(1, 6, 3)
    X, W, b, G = (draw(rng, shape, dtype, kind) for shape in ((n, i), (o, i), (o,), (n, o)))
    b = b if biased else None
    x, w, g = map(rational, (X, W, G))
    true = x @ w.T + (rational(b) if biased else 0)
    positive = np.dtype(dtype).type(0)
    found = dense(X, W, b)
    assert same_bits(np.where(true == 0, positive, found), once(true, dtype))
    for found, true in zip(dense_gradients(X, W, G), (g @ w, g.T @ x, g.sum(axis=0)), strict=True):
        assert same_bits(np.where(true == 0, positive, found), once(true, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_dense_layer_of_zeros_is_minus_0_only_if_all_terms_are(dtype):
    X, W = np.array([[0.0, 0], [-0.0, 0]], dtype), np.array([[-1.0, -1], [1, -1]], dtype)
    assert np.signbit(dense(X, W)).tolist() == [[True, False], [False, True]]
    assert not np.signbit(dense(X, W, np.zeros(2, dtype))).any()
    found = dense(X, W, np.full(2, -0.0, dtype))
    assert np.signbit(found).tolist() == [[True, False], [False, True]]


def test_what_does_not_fit_is_refused():
    X, W = np.ones((2, 3), np.float32), np.ones((4, 3), np.float32)
    with pytest.raises(ShapeError, match=r"X has shape \(2, 3\) and W \(3, 4\)"):
        dense(X, W.T)
    with pytest.raises(ShapeError, match=r"bias has shape \(3,\)"):
        dense(X, W, X[0])
    with pytest.raises(DTypeError, match="float32, float64"):
        dense(X, W.astype(np.float64))
    with pytest.raises(ShapeError, match="the gradient has shape"):
        dense_gradients(X, W, X)
    with pytest.raises(ArgumentError, match="a divisor is 0"):
        quotients(X, 0)
    with pytest.raises(ShapeError, match=r"the terms have shape \(3,\)"):
        quotients(X[0], 1)
    with pytest.raises(DTypeError, match="int64"):
        quotients(X.astype(np.int64), 1)
