"""Winograd's algorithm and Fourier transforms err more than any order of additions, and honestly.

Their own bounds hold; the verdict names them where they would explain a difference, and accepts
them where they are named.
"""

import contextlib
import warnings
from fractions import Fraction

import honest
import numpy as np
import pytest
import rationals
from chosen import demand
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st
from rationals import assert_within, rational

import d2lconv as dc
from d2lconv.parity import bounds, compare, winograd

corr2d = dc.numpy.corr2d
TYPES = ["float16", "float32", "float64"]
TILES = [
    (points, r)
    for points in winograd.POINTS
    for r in range(2, min(len(points), winograd.LARGEST) + 1)
]
PROPERTY = examples(60)


@pytest.mark.parametrize(("points", "r"), TILES, ids=str)
def test_the_transforms_multiply_out_to_a_cross_correlation(points, r):
    A, G, B = winograd.transforms(points, r)
    t, m = A.shape
    for p, a, s in np.ndindex(m, r, t):
        assert (A[:, p] * G[:, a] * B[:, s]).sum() == (s == p + a)


def data(shape, kind, rng):
    if kind == "positive":
        return rng.random(shape)
    if kind == "offset":
        return 100 + rng.standard_normal(shape)
    if kind == "range":
        return rng.standard_normal(shape) * 10.0 ** rng.uniform(-4, 4, shape)
    values = rng.standard_normal(shape)
    if kind == "zero patch":
        values[: shape[0] // 2, : shape[1] // 2] = 0
    return values


KINDS = ["normal", "positive", "offset", "range", "zero patch"]


def honest_cases(seed, dtype, kind, tile):
    rng = np.random.default_rng(seed)
    points, r = tile
    X = data((r + 7, r + 8), kind, rng).astype(dtype)
    K = data((r, r), "normal", rng).astype(dtype)
    first = tuple(map(int, rng.integers(0, len(points) - r + 2, 2)))
    return X, K, honest.winograd(X, K, points, first)


@PROPERTY
@given(
    st.integers(0, 10**6), st.sampled_from(TYPES), st.sampled_from(KINDS), st.sampled_from(TILES)
)
def test_no_honest_winograd_is_beyond_its_bound_wherever_its_tiles_start(seed, dtype, kind, tile):
    with np.errstate(all="ignore"):
        X, K, actual = honest_cases(seed, dtype, kind, tile)
        parts = winograd.parts(X, K)
    true = rationals.corr2d(rational(X), rational(K))
    assert_within(actual, true, parts.of(actual))


@pytest.mark.parametrize("kind", KINDS)
def test_winograd_is_beyond_the_bound_of_additions_and_accepted_where_it_is_named(kind):
    """F(6, 3), as in NNPACK: the bound of additions alone called it a bug."""
    explained = 0
    for seed in range(20):
        X, K, actual = honest_cases(seed, "float32", kind, (winograd.POINTS[-1], 3))
        expected = corr2d(X, K)
        assert compare(actual, expected, X=X, K=K, algorithm="winograd").verdict == "rounding"
        found = compare(actual, expected, X=X, K=K)
        if found.verdict == "bug":
            assert "so actual is wrong" in found.reason
            words = "beyond any order of additions, but Winograd's algorithm would explain it"
            assert words in found.reason
            assert found.reason.endswith('algorithm="winograd" accepts that')
            explained += 1
    assert explained or kind == "positive"


def test_what_winograd_does_not_explain_stays_a_bug_where_it_is_named():
    rng = np.random.default_rng(0)
    X, K = rng.standard_normal((20, 20)).astype("f4"), rng.standard_normal((3, 3)).astype("f4")
    expected = corr2d(X, K)
    for wrong in (dc.numpy.conv2d(X, K), -expected, corr2d(np.roll(X, 1), K), expected * 1.01):
        found = compare(wrong.astype("f4"), expected, X=X, K=K, algorithm="winograd")
        assert found.verdict == "bug"
        assert "so actual is wrong" in found.reason
        assert "Winograd" not in compare(wrong.astype("f4"), expected, X=X, K=K).reason


def test_a_bias_is_part_of_the_bounds_of_fast_algorithms():
    rng = np.random.default_rng(0)
    X, K = rng.standard_normal((9, 9)).astype("f4"), rng.standard_normal((3, 3)).astype("f4")
    right = corr2d(X, K) + np.float32(1000)
    for algorithm, actual in (
        ("winograd", honest.winograd(X, K, winograd.POINTS[-1])),
        ("fft", corr2d(X, K, method="fft")),
    ):
        options = {"X": X, "K": K, "bias": 1000, "algorithm": algorithm}
        found = compare(actual + np.float32(1000), right, **options)
        assert found.verdict in ("identical", "rounding")
        assert compare(actual, right, **options).verdict == "bug"


def test_a_transform_next_to_zeros_is_explained_and_accepted_where_it_is_named():
    rng = np.random.default_rng(0)
    X, K = np.zeros((32, 32), "f4"), rng.standard_normal((9, 9)).astype("f4")
    X[:8, :8] = rng.standard_normal((8, 8))
    actual = corr2d(X, K, method="fft")
    actual[20, 20] = np.float32(1e-7)  # where the true value is 0
    found = compare(actual, corr2d(X, K), X=X, K=K)
    assert found.verdict == "bug"
    seen = compare(actual, corr2d(X, K), X=X, K=K, algorithm="fft")
    assert seen.verdict == "rounding"
    # A transform's bound is that of all values together: it is to be small beside their usual size.
    assert "Fourier transform would explain it (" in found.reason
    actual[20, 20] = 1
    assert "Fourier" not in compare(actual, corr2d(X, K), X=X, K=K).reason


@contextlib.contextmanager
def ignored():
    """Without the warnings of PyTorch's switch, which sets one of another device too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_pytorchs_own_winograd_is_accepted_where_it_is_named():
    demand("torch")
    import torch

    rng = np.random.default_rng(0)
    X = 1000 + rng.standard_normal((16, 1, 30, 40)).astype("f4")
    K = rng.standard_normal((1, 1, 3, 3)).astype("f4")
    with ignored(), torch.backends.mkldnn.flags(enabled=False):
        Y = torch.nn.functional.conv2d(torch.tensor(X), torch.tensor(K)).numpy()
    for image, result in zip(X[:, 0], Y[:, 0], strict=True):
        options = {"X": image, "K": K[0, 0], "algorithm": "winograd"}
        assert compare(result, corr2d(image, K[0, 0]), **options).verdict != "bug"


def test_what_is_infinite_spreads_through_a_tile():
    X, K = np.ones((12, 12), "f4"), np.ones((3, 3), "f4")
    X[0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        actual = honest.winograd(X, K, winograd.POINTS[-1])
    assert np.isnan(actual).sum() > 1
    assert compare(actual, corr2d(X, K), X=X, K=K, algorithm="winograd").verdict == "rounding"
    actual[-1, -1] = np.nan  # no tile reaches from one corner to the other
    assert compare(actual, corr2d(X, K), X=X, K=K, algorithm="winograd").verdict == "bug"
    assert np.isinf(winograd.bound(np.full((6, 6), 3e38, "f4"), K)).all()


def test_a_kernel_of_one_element_is_no_fast_algorithms_matter():
    X, K = np.float32([[1, 2]]), np.float32([[3]])
    np.testing.assert_array_equal(winograd.bound(X, K), bounds.corr2d(X, K))
    row = np.float32([[1, 2, 3]])
    assert (winograd.bound(np.ones((4, 9), "f4"), row) > 0).all()
    assert Fraction(1, 2) in winograd.POINTS[-1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"algorithm": "winograd"}, dc.ArgumentError, "algorithm is given without X and K"),
        ({"algorithm": "winograt"}, dc.ArgumentError, "did you mean 'winograd'"),
        ({"algorithm": 1, "bound": 1}, dc.ArgumentError, "unknown algorithm 1"),
    ],
)
def test_an_algorithm_that_makes_no_sense_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        compare([[1]], [[1]], **options)


def test_winograds_algorithm_is_refused_for_kernels_that_no_tile_holds():
    X, K = np.ones((9, 9), "f4"), np.ones((8, 8), "f4")
    with pytest.raises(dc.ShapeError, match="sides up to 7"):
        compare(2 * corr2d(X, K), corr2d(X, K), X=X, K=K, algorithm="winograd")
