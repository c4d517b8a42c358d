"""Correctly rounded results piece by piece: the same bits however they are cut."""

from fractions import Fraction
from itertools import count

import numpy as np
import pytest
from geometries import geometries, geometry_of, values
from hypothesis import given
from hypothesis import strategies as st

from d2lconv.core import reference
from d2lconv.core.geometry import form, lifted
from d2lconv.core.options import settings
from d2lconv.parity import same_bits
from d2lconv.rounding import convolution, norms, products
from d2lconv.rounding.certificate import unit
from d2lconv.rounding.settle import settle


@pytest.fixture(scope="module")
def small():
    """Pieces of few elements, and sums in parts of three."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PIECE": 40, "DEPTH": 3}.items():
            patch.setattr(products, name, value)
        yield


def results(X, K, G, geometry):
    """Value and gradients."""
    return [
        found.values
        for found in (
            convolution.corr2d(X, K, geometry),
            convolution.image_gradient(K, G, geometry),
            convolution.kernel_gradient(X, G, geometry),
        )
    ]


def operands(found, dtype, kind, seed):
    """X, K and G of a drawn geometry, with all their axes."""
    rng = np.random.default_rng(seed)
    options, geometry = geometry_of(*found)
    X, K = values(rng, found[0], dtype, kind), values(rng, found[1], dtype, kind)
    G = values(rng, reference.corr2d(X * 0, K * 0, *options).shape, dtype, kind)
    X, K = X.reshape(lifted(X.shape)), K.reshape(lifted(K.shape))
    return X, K, G.reshape(len(X), *geometry.shape[1:]), geometry


@given(geometries(), st.sampled_from(["float16", "float32"]), st.integers(0, 99))
def test_pieces_change_no_bit(small, found, dtype, seed):
    X, K, G, geometry = operands(found, dtype, "range", seed)
    cut = results(X, K, G, geometry)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PIECE": 2**20, "DEPTH": 384}.items():
            patch.setattr(products, name, value)
        whole = results(X, K, G, geometry)
    assert all(same_bits(a, b) for a, b in zip(cut, whole, strict=True))


@given(geometries(), st.integers(0, 99))
def test_float64_sums_are_within_their_bound_and_cover_the_result(small, found, seed):
    """All pieces together are the result, each element once."""
    X, K, _, geometry = operands(found, "float32", "integers", seed)
    x, k = (
        products.by_group(np.pad(X, ((0, 0), (0, 0), *geometry.padding)), geometry.groups),
        K.astype(np.float64).reshape(geometry.groups, -1, geometry.products),
    )
    pieces, compute = products.corr2d(x, k, geometry, products.NUMPY)
    shape = geometry.groups, geometry.in_groups[1], len(X), *geometry.output
    Y, times = np.zeros(shape), np.zeros(shape, int)
    for piece in pieces:
        with products.memory() as space:
            Y[piece] += compute(piece, space)
        times[piece] += 1
    assert (times == 1).all()
    total = Y.transpose(2, 0, 1, 3, 4).reshape(len(X), *geometry.shape[1:])
    np.testing.assert_array_equal(convolution.corr2d(X, K, geometry).values, total)  # integers


@pytest.mark.parametrize("n", [1, 2, 383, 384, 385, 576, 3456, 10**6])
def test_a_product_passes_no_more_additions_than_are_counted(n):
    """Of ones, each counting the additions that it passes: the most in a part, and the parts."""
    parts = -(-n // products.DEPTH)
    step = -(-n // parts)
    lengths = [min(step, n - start) for start in range(0, n, step)]
    assert sum(lengths) == n
    assert products.additions(n) >= max(lengths) - 1 + len(lengths) - 1
    assert products.additions(n) <= n


@pytest.mark.parametrize("exponents", [(-149, -120), (-70, -55), (-3, 4), (40, 50)])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("size", [1, 7, 3000])
def test_norms_are_never_too_small(exponents, dtype, size):
    rng = np.random.default_rng(size)
    low, high = (exponents[0] / 8, exponents[1] / 8) if dtype == "float16" else exponents
    A = (rng.standard_normal((2, size)) * 2.0 ** rng.uniform(low, high, (2, size))).astype(dtype)
    true = [sum(Fraction(v) ** 2 for v in row.tolist()) for row in A]
    found = norms.squares(A, "ai,ai->a", size)
    for square, norm, t in zip(found, norms.euclidean(A, "ai,ai->a"), true, strict=True):
        assert Fraction(float(square)) * Fraction(norms.ENLARGED) ** 2 >= t
        assert Fraction(float(norm)) ** 2 >= t
        assert Fraction(float(square)) <= t * (1 + Fraction(size, 2**20)) + Fraction(size, 2**123)
    huge = np.full((1, size), np.finfo("float32").max)
    assert norms.squares(huge, "ai,ai->a", size)[0] == np.inf


def test_black_windows_are_decided_where_their_zeros_are_positive():
    """Not by the bound for many, but by their own; images of digits are mostly black."""
    rng = np.random.default_rng(0)
    X = np.zeros((4, 1, 28, 28), np.float32)
    X[:, :, 8:20, 8:20] = rng.random((4, 1, 12, 12), np.float32)
    K = rng.standard_normal((6, 1, 5, 5)).astype(np.float32)
    geometry = form(X.shape, K.shape, *settings(1, 2)).geometry
    Y, counts = convolution.corr2d(X, K, geometry)
    assert counts.certificate > 0.99 * Y.size
    assert not np.signbit(Y[:, :, 0]).any()
    assert not Y[:, :, 0].any()


def test_one_image_with_infinities_leaves_the_others_as_they_are():
    rng = np.random.default_rng(0)
    X, K = rng.standard_normal((3, 2, 9, 9)), rng.standard_normal((4, 2, 3, 3))
    X, K = X.astype(np.float32), K.astype(np.float32)
    geometry = form(X.shape, K.shape, *settings(1, 1)).geometry
    before = convolution.corr2d(X, K, geometry).values
    X[1, 0, 4, 4] = np.inf
    after = convolution.corr2d(X, K, geometry).values
    assert same_bits(before[[0, 2]], after[[0, 2]])
    assert np.isinf(after[1, :, 4, 4]).all()


def test_black_windows_under_an_infinite_kernel_are_nan_without_a_warning():
    X, K = np.zeros((1, 1, 6, 6), np.float32), np.ones((2, 1, 1, 1), np.float32)
    X[0, 0, 0] = 2
    K[1] = np.inf
    geometry = form(X.shape, K.shape, *settings()).geometry
    Y = convolution.corr2d(X, K, geometry).values[0]
    assert same_bits(Y[0], X[0, 0])
    assert np.isinf(Y[1, 0]).all()
    assert np.isnan(Y[1, 1:]).all()


def test_memory_is_used_again_and_never_twice_at_once():
    numbers = count()
    with products.memory() as first, products.memory() as second:
        a, b = first("sums", (3, 4)), second("sums", (3, 4))
        a[...], b[...] = next(numbers), next(numbers)
        assert (a.max(), b.max()) == (0, 1)
        assert np.shares_memory(first("sums", (2, 2)), a)
        assert not np.shares_memory(first("windows", (3, 4)), a)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("stride", [1, 3])
def test_a_sum_of_an_image_gradient_starts_from_plus_zero(dtype, stride):
    """So no zero is -0, whether all terms of its sum are -0, some are, or there is none."""
    K = -np.ones((2, 3, 2, 2), dtype)
    geometry = form((1, 3, 6, 6), K.shape, *settings(stride)).geometry
    G = np.zeros(geometry.shape, dtype)
    dX = convolution.image_gradient(K, G, geometry).values
    assert same_bits(dX, np.zeros(dX.shape, dtype))
    least = np.finfo(dtype).smallest_subnormal
    G[...] = least
    dX = convolution.image_gradient(K * np.dtype(dtype).type(2.0**-9), G, geometry).values
    assert not dX.any()  # less than half of the least number, and negative
    assert np.signbit(dX).all() == (stride == 1)  # else some have no terms


@pytest.mark.parametrize("levels", [2, 16, 256])
@pytest.mark.parametrize("bits", [2, 12, 24])
@pytest.mark.parametrize("bias", [None, 2.0**-3, 2.0**-60])
def test_sums_that_are_exact_in_float64_are_not_settled(levels, bits, bias):
    """Grey images have many ties. A bias of 2**-60 is too fine for float64, and is seen to be."""
    rng = np.random.default_rng(levels)
    X = (rng.integers(0, levels, (8, 1, 9, 9)) / levels).astype(np.float32)
    K = (rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (3, 1, 3, 3)) / 2**bits).astype("f4")
    b = None if bias is None else np.full(3, bias, np.float32)
    geometry = form(X.shape, K.shape, *settings()).geometry
    Y, counts = convolution.corr2d(X, K, geometry, b)
    windows = np.lib.stride_tricks.sliding_window_view(X[:, 0], (3, 3), (1, 2)).reshape(-1, 1, 9)
    true = settle(
        np.repeat(windows, 3, 1).reshape(-1, 9),
        np.tile(K.reshape(3, 9), (392, 1)),
        "f4",
        bias=None if b is None else np.tile(b, 392),
    )
    assert same_bits(Y, true.values.reshape(8, 7, 7, 3).transpose(0, 3, 1, 2))
    few = (counts.undecided - (Y == 0).sum()) * 9 <= X.size  # so few that they are settled
    assert few or bias == 2.0**-60


def test_a_unit_is_the_largest_power_of_two_of_which_all_are_multiples():
    for dtype in ("float16", "float32"):
        least = np.finfo(dtype).smallest_subnormal
        assert unit(np.array([1.5, -3, 0, np.nan, np.inf], dtype)) == 0.5
        assert unit(np.array([1, least, 2], dtype)) == float(least)
        assert unit(np.array([np.finfo(dtype).max], dtype)) == 2.0 ** (
            np.finfo(dtype).maxexp - np.finfo(dtype).nmant - 1
        )
    assert unit(np.zeros(3, np.float32)) == np.inf
