"""Softmax cross-entropy: losses, their mean and its gradient are the true values, rounded once."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from geometries import DTYPES
from mpmath.libmp import to_rational
from rationals import rational, round_exactly

from d2lconv.errors import ArgumentError, DTypeError, ShapeError
from d2lconv.parity import same_bits
from d2lconv.rounding.network import (
    mean,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)

KINDS = ("normal", "small", "wide", "integers", "least", "masked")


def draw(rng, shape, dtype, kind):
    """Logits of a kind: ordinary, nearly the same, far apart, often the same, some of them -inf."""
    x = rng.normal(0, 2, shape)
    if kind == "small":
        x *= 2.0 ** rng.integers(-20, 0, (len(x), 1))
    if kind == "wide":
        x *= 2.0 ** rng.integers(0, 7, (len(x), 1))
    if kind == "integers":
        x = np.round(x / 2)
    if kind == "least":
        x = rng.integers(-3, 3, shape) * float(np.finfo(dtype).smallest_subnormal)
    if kind == "masked":
        x[:, 1:][rng.random(x[:, 1:].shape) < 0.5] = -np.inf
    return x.astype(dtype)


def once(value, dtype):
    """A number of mpmath, rounded once; with its sign where that gives 0."""
    return round_exactly(Fraction(*to_rational(mpmath.mpf(value)._mpf_)), dtype)


def true_loss(row, y):
    return mpmath.log(mpmath.fsum(mpmath.exp(x - row[y]) for x in row))


def true_gradient(row, y, n):
    """What is left at the label is summed, so that nothing cancels."""
    e = [mpmath.exp(x - max(row)) for x in row]
    whole = mpmath.fsum(e) * n
    return [
        -mpmath.fsum(e[:i] + e[i + 1 :]) / whole if i == y else e[i] / whole for i in range(len(e))
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_are_the_true_ones_rounded_once(kind, dtype):
    rng = np.random.default_rng(6)
    digits = 800 if kind == "least" else 150
    for n, k in ((1, 1), (5, 2), (12, 10), (7, 3)):
        logits, labels = draw(rng, (n, k), dtype, kind), rng.integers(0, k, n)
        losses = softmax_cross_entropy(logits, labels)
        gradient = softmax_cross_entropy_gradient(logits, labels)
        with mpmath.workdps(digits):
            for row, y, loss, found in zip(logits, labels, losses, gradient, strict=True):
                x = [mpmath.mpf(float(value)) for value in row]
                if np.isneginf(row[y]):
                    assert loss == np.inf
                else:
                    assert same_bits(loss, once(true_loss(x, y), dtype))
                true = [once(value, dtype) for value in true_gradient(x, y, n)]
                assert same_bits(found, np.array(true))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_is_multiplied_before_it_is_rounded(kind, dtype):
    rng, limits = np.random.default_rng(9), np.finfo(dtype)
    digits = 900 if kind == "least" else 150
    for g in (3, -0.1, limits.smallest_subnormal, limits.max, 0, -0.0):
        g = np.array(g, dtype)
        logits, labels = draw(rng, (3, 4), dtype, kind), rng.integers(0, 4, 3)
        found = softmax_cross_entropy_gradient(logits, labels, g)
        with mpmath.workdps(digits):
            for row, y, slopes in zip(logits, labels, found, strict=True):
                x = [mpmath.mpf(float(value)) for value in row]
                true = [once(v * mpmath.mpf(float(g)), dtype) for v in true_gradient(x, y, 3)]
                expected = np.where(np.array(true) == 0, 0.0, true).astype(dtype)
                assert same_bits(
                    slopes + np.dtype(dtype).type(0), expected
                )  # whatever the sign of 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_share_that_is_0_but_for_a_huge_gradient_is_settled(dtype):
    """exp(-1100) * 2**1023 is no 0 in float64, and near the rational number beside a label's."""
    logits, g = np.array([[0, -1100]], dtype), np.finfo(dtype).max
    with mpmath.workdps(1200):
        small = mpmath.exp(-1100)
        true = [mpmath.mpf(float(g)) * part / (1 + small) for part in (small, 1)]
    for label in (0, 1):
        found = softmax_cross_entropy_gradient(logits, [label], g)[0]
        signs = (-1, 1) if label == 0 else (1, -1)
        with mpmath.workdps(1200):
            parts = (true[0], true[0]) if label == 0 else (true[1], true[1])
            expected = [once(sign * t, dtype) for sign, t in zip(signs, parts, strict=True)]
        assert same_bits(found, np.array(expected, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gradient_at_the_mean_that_is_not_finite_is_as_the_product_has_it(dtype):
    logits = np.array([[1, 2], [0, -np.inf]], dtype)
    found = softmax_cross_entropy_gradient(logits, [0, 0], np.array(-np.inf, dtype))
    np.testing.assert_array_equal(found, [[np.inf, -np.inf], [np.nan, np.nan]])
    assert np.isnan(softmax_cross_entropy_gradient(logits, [0, 0], np.array(np.nan, dtype))).all()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_many_losses_are_rounded_once(dtype):
    rng = np.random.default_rng(7)
    logits, labels = rng.normal(0, 4, (2000, 10)).astype(dtype), rng.integers(0, 10, 2000)
    with mpmath.workdps(50):
        rows = zip(logits.tolist(), labels.tolist(), strict=True)
        true = [once(true_loss([mpmath.mpf(x) for x in row], y), dtype) for row, y in rows]
    assert same_bits(softmax_cross_entropy(logits, labels), np.array(true))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_loss_of_a_midpoint_and_a_millionth_of_millionths_rounds_up(dtype):
    top = float(2 ** (np.finfo(dtype).nmant + 1))  # from here on, odd numbers are midpoints
    found = softmax_cross_entropy(np.array([[top, -1], [top, -3]], dtype), [1, 1])
    assert found.tolist() == [top + 2, top + 4]  # to even, the first would be top


def test_a_gradient_beside_a_midpoint_needs_no_million_digits():
    k = 2**12  # 1 - 1/k is a midpoint of float16
    logits = np.zeros((1, k + 1), np.float16)
    logits[0, -1] = -60000
    assert softmax_cross_entropy_gradient(logits[:, :-1], [0])[0, 0] == -1  # to even
    assert softmax_cross_entropy_gradient(logits, [0])[0, 0] == -1  # the nearer one
    assert softmax_cross_entropy_gradient(logits, [k])[0, k] == -1


@pytest.mark.parametrize("dtype", DTYPES)
def test_equal_logits_give_exact_shares(dtype):
    found = softmax_cross_entropy_gradient(np.full((3, 6), 7, dtype), [0, 1, 2])
    share, rest = (round_exactly(Fraction(a, 18), dtype) for a in (1, -5))
    assert same_bits(found, np.where(np.eye(3, 6) == 1, rest, share))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_rounded_to_0_keeps_its_sign_and_what_is_0_is_plus_0(dtype):
    far = np.array([[0, -20000], [0, -np.inf]], dtype)
    assert same_bits(softmax_cross_entropy(far, [0, 0]), np.zeros(2, dtype))
    expected = np.array([[-0.0, 0], [0, 0]], dtype)
    assert same_bits(softmax_cross_entropy_gradient(far, [0, 0]), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_without_a_softmax_give_nan_and_the_others_do_not(dtype):
    logits = np.array([[np.nan, 0], [np.inf, 0], [-np.inf, -np.inf], [0, -np.inf]], dtype)
    nan = [True, True, True, False]
    assert np.isnan(softmax_cross_entropy(logits, [1, 1, 1, 1])).tolist() == nan
    gradient = softmax_cross_entropy_gradient(logits, [1, 1, 1, 1])
    assert np.isnan(gradient).all(axis=1).tolist() == nan
    assert gradient[3].tolist() == [0.25, -0.25]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_mean_of_losses_is_rounded_once(dtype):
    losses = np.random.default_rng(8).gamma(2, 1, 77).astype(dtype)
    assert same_bits(mean(losses), round_exactly(rational(losses).sum() / 77, dtype))
    assert mean(losses).shape == ()


def test_what_does_not_fit_is_refused():
    logits = np.zeros((2, 3), np.float32)
    for function in (softmax_cross_entropy, softmax_cross_entropy_gradient):
        with pytest.raises(ArgumentError, match="a label is 3; it must be from 0 to 2"):
            function(logits, [0, 3])
        with pytest.raises(ShapeError, match=r"logits of shape \(2, 3\) and labels of \(1,\)"):
            function(logits, [0])
        with pytest.raises(DTypeError, match="labels of float64"):
            function(logits, [0.0, 1.0])
        with pytest.raises(DTypeError, match="logits of int64"):
            function(logits.astype(np.int64), [0, 1])
    with pytest.raises(ShapeError, match="one value or more"):
        mean(logits[:0])
