"""Cross-correlation as a product with a matrix: changed input, or changed kernel."""

import numpy as np
import pytest
from children import python
from frameworks import assert_same_bits, vjp

import d2lconv as dc
from d2lconv.binding import bind

IMAGE = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
KERNEL = [[0, 1], [2, 3]]
SHAPES = [
    ((1, 1), (1, 1)),
    ((6, 8), (1, 2)),
    ((5, 4), (3, 1)),
    ((4, 4), (4, 4)),
    ((7, 5), (2, 3)),
    ((9, 12), (5, 4)),
]


def data(shape, dtype, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def test_the_windows_of_the_lessons_image(d2l):
    M = d2l.to_numpy(d2l.im2col(IMAGE, (2, 2)))
    assert_same_bits(M, np.float32([[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]))


def test_the_matrix_of_the_lessons_kernel(d2l):
    T = d2l.to_numpy(d2l.toeplitz(KERNEL, (3, 3)))
    rows = ["010230000", "001023000", "000010230", "000001023"]
    # The zero in the kernel is a zero in the matrix.
    assert_same_bits(T, np.float32([[int(c) for c in row] for row in rows]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("image", "kernel"), SHAPES)
def test_both_matrices_have_the_same_bits_in_every_backend(d2l, image, kernel, dtype):
    X, K = data(image, dtype), data(kernel, dtype)
    K[0, 0] = -0.0
    X[-1, -1] = np.inf
    windows = np.lib.stride_tricks.sliding_window_view(X, kernel)
    expected = windows.reshape(-1, kernel[0] * kernel[1])
    assert_same_bits(d2l.to_numpy(d2l.im2col(X, kernel)), expected)
    assert_same_bits(d2l.to_numpy(d2l.im2col(X=d2l.tensor(X), kernel_size=kernel)), expected)
    T = d2l.to_numpy(d2l.toeplitz(K, image))
    assert_same_bits(T, _toeplitz(K, image))
    assert_same_bits(d2l.to_numpy(d2l.toeplitz(K=d2l.tensor(K), input_shape=image)), T)


def _toeplitz(K, image):
    """By definition: row (i, j) is the image that the kernel makes where its window is (i, j)."""
    H, W = image[0] - K.shape[0] + 1, image[1] - K.shape[1] + 1
    rows = []
    for i, j in np.ndindex(H, W):
        row = np.zeros(image, K.dtype)
        row[i : i + K.shape[0], j : j + K.shape[1]] = K
        rows.append(row.reshape(-1))
    return np.stack(rows)


@pytest.mark.parametrize(("image", "kernel"), SHAPES)
def test_both_products_are_the_cross_correlation(d2l, image, kernel):
    """Of whole numbers below 2**24, which float32 holds exactly, in whatever order they add up."""
    rng = np.random.default_rng(0)
    X = d2l.tensor(rng.integers(-99, 99, image))
    K = d2l.tensor(rng.integers(-99, 99, kernel))
    expected = d2l.to_numpy(d2l.corr2d(X, K)).reshape(-1, 1)
    column = d2l.tensor(d2l.to_numpy(K).reshape(-1, 1))
    assert_same_bits(d2l.to_numpy(d2l.im2col(X, kernel) @ column), expected)
    column = d2l.tensor(d2l.to_numpy(X).reshape(-1, 1))
    assert_same_bits(d2l.to_numpy(d2l.toeplitz(K, image) @ column), expected)


def test_the_blocks_are_constant_along_both_diagonals(d2l):
    K = data((3, 2), "float32")
    T = d2l.to_numpy(d2l.toeplitz(K, (5, 6)))
    blocks = T.reshape(3, 5, 5, 6).swapaxes(1, 2)  # block row, block column, row, column
    np.testing.assert_array_equal(blocks[1:, 1:], blocks[:-1, :-1])
    np.testing.assert_array_equal(blocks[..., 1:, 1:], blocks[..., :-1, :-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_matrices_can_be_differentiated(framework, dtype):
    """Against the gradients of corr2d; whole numbers, so that every order of summation is exact."""
    d2l = bind(framework)
    rng = np.random.default_rng(1)
    X, K, G = (
        d2l.tensor(rng.integers(-9, 9, shape).astype(dtype)) for shape in [(5, 6), (2, 3), (4, 4)]
    )
    _, expected = vjp(framework, d2l.corr2d, [X, K], G)
    g = d2l.to_numpy(G).reshape(-1, 1)
    dM = d2l.tensor(g @ d2l.to_numpy(K).reshape(1, -1))
    _, (dX,) = vjp(framework, lambda X: d2l.im2col(X, (2, 3)), [X], dM)
    assert_same_bits(d2l.to_numpy(dX), d2l.to_numpy(expected[0]))
    dT = d2l.tensor(g @ d2l.to_numpy(X).reshape(1, -1))
    _, (dK,) = vjp(framework, lambda K: d2l.toeplitz(K, (5, 6)), [K], dT)
    assert_same_bits(d2l.to_numpy(dK), d2l.to_numpy(expected[1]))


@pytest.mark.parametrize(("image", "kernel"), SHAPES)
def test_the_sparse_matrix_is_the_dense_one_without_the_zeros(d2l, image, kernel):
    K = data(kernel, "float64")
    T = d2l.toeplitz(d2l.tensor(K), image, sparse=True)
    assert_same_bits(T.toarray(), _toeplitz(K, image))
    assert T.nnz == T.shape[0] * K.size
    assert T.has_canonical_format


def test_the_sparse_matrix_serves_a_photographs_size():
    T = dc.toeplitz([[1, -1]], (512, 512), sparse=True)
    X = np.arange(512 * 512, dtype=np.float32).reshape(512, 512)
    assert (T @ X.reshape(-1) == -1).all()
    with pytest.raises(dc.ShapeError, match=r"261632 x 262144 elements.*Use sparse=True"):
        dc.toeplitz([[1, -1]], (512, 512))


def test_float16_becomes_float32_where_scipy_has_no_float16():
    assert dc.toeplitz(np.ones((1, 2), np.float16), (2, 2), sparse=True).dtype == np.float32


def test_without_scipy_the_error_says_what_to_install():
    code = """
import sys
sys.modules["scipy"] = None
import d2lconv as dc
assert dc.toeplitz([[1]], (1, 1)).tolist() == [[1]]
try:
    dc.toeplitz([[1]], (1, 1), sparse=True)
except dc.ExtraNotInstalled as error:
    print(error)
"""
    assert 'scipy, which is not installed. Run: pip install "d2lconv[sparse]"' in (
        python(code).stdout
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda d: d.im2col([1, 2], (1, 1)), dc.ShapeError, "X has 1 dimension"),
        (lambda d: d.im2col(IMAGE, (4, 1)), dc.ShapeError, r"kernel, shape \(4, 1\), is larger"),
        (lambda d: d.im2col(IMAGE, 2), dc.ShapeError, "kernel_size is 2; it must be a pair"),
        (lambda d: d.im2col([["a"]], (1, 1)), dc.DTypeError, "X holds text"),
        (lambda d: d.toeplitz(IMAGE, (2, 9)), dc.ShapeError, r"kernel, shape \(3, 3\), is larger"),
        (lambda d: d.toeplitz(IMAGE, (0, 3)), dc.ShapeError, r"input_shape is \(0, 3\)"),
        (lambda d: d.toeplitz(IMAGE, None), dc.ShapeError, "input_shape is None; .* a pair"),
        (lambda d: d.toeplitz([1], (3, 3)), dc.ShapeError, "K has 1 dimension"),
        (lambda d: d.toeplitz([1], (3, 3), sparse=True), dc.ShapeError, "K has 1 dimension"),
        (lambda d: d.toeplitz([[1]], (3,), sparse=True), dc.ShapeError, "input_shape is"),
        (lambda d: d.toeplitz([[1j]], (3, 3)), dc.DTypeError, "K holds complex"),
    ],
)
def test_bad_input_says_what_is_allowed(d2l, call, error, words):
    with pytest.raises(error, match=words):
        call(d2l)
