"""Exercise 4: a cross-correlation as a product of matrices."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from d2lconv import contract
from d2lconv.exercise.answers import Matrix, call, matrix, show
from d2lconv.exercise.model import Exercise, Wrong
from d2lconv.matrices import kernel_places, window_places

# The shapes of images and kernels to try, the smallest first.
SHAPES = (
    ((1, 1), (1, 1)),
    ((1, 2), (1, 1)),
    ((1, 3), (1, 2)),
    ((3, 1), (2, 1)),
    ((2, 2), (1, 2)),
    ((3, 3), (2, 2)),
    ((2, 4), (2, 3)),
    ((4, 3), (3, 2)),
    ((5, 6), (2, 3)),
)
LESSON = SHAPES[5]

PRAISE = "The product is the cross-correlation."

Way = Callable[[Matrix, Matrix], list[Any]]


def _case(image: tuple[int, int], kernel: tuple[int, int]) -> tuple[Matrix, Matrix]:
    """An image and a kernel of small, different whole numbers; the lesson's for its shapes."""
    X = np.arange(image[0] * image[1], dtype=np.float64).reshape(image)
    K = np.arange(kernel[0] * kernel[1], dtype=np.float64).reshape(kernel)
    return (X, K) if (image, kernel) == LESSON else (X + 1, K + 1)


def _orders(shape: tuple[int, ...]) -> Iterator[Any]:
    """The two usual orders of the elements of a matrix: row by row, and column by column."""
    places = np.arange(np.prod(shape)).reshape(shape)
    yield places.reshape(-1)
    yield places.T.reshape(-1)


def _layouts(T: Matrix, rows: tuple[int, ...], columns: tuple[int, ...]) -> Iterator[Matrix]:
    """A matrix as it stands, with its elements in the other usual orders, and transposed."""
    for row in _orders(rows):
        for column in _orders(columns):
            yield T[row][:, column]
            yield T[row][:, column].T


def _checker(what: str, true: Callable[[Matrix, Matrix], Matrix], *ways: Way) -> Any:
    """The checker of a part: which matrix is asked for, and how a function may be called."""

    def compare(X: Matrix, K: Matrix, found: Any) -> None:
        Y = contract.corr2d(X, K)
        expected = true(X, K)
        said = f"For X = {show(X)} and K = {show(K)}"
        data = {"X": X, "K": K, "expected": expected}
        if isinstance(found, tuple) and len(found) == 2:
            A, _ = matrix(found[0], "a matrix, or a pair of matrices to multiply")
            B, _ = matrix(found[1], "a matrix, or a pair of matrices to multiply", row=True)
            B = B.T if A.shape[1] != B.shape[0] else B
            if A.shape[1] != B.shape[0]:
                raise Wrong(f"{said}, the shapes {A.shape} and {B.shape} do not multiply.", **data)
            product = (A @ B).reshape(-1)
            if not any(np.array_equal(product, Y.reshape(-1)[order]) for order in _orders(Y.shape)):
                raise Wrong(
                    f"{said}, the product is {show(product)}, and the cross-correlation "
                    f"{show(Y.reshape(-1))}.",
                    found=product,
                    **data,
                )
            return
        T, _ = matrix(found, "a matrix", row=True)
        if T.shape == Y.shape or (T.size == Y.size and 1 in T.shape):  # it was multiplied already
            flat = T.reshape(-1)
            if any(np.array_equal(flat, Y.reshape(-1)[order]) for order in _orders(Y.shape)):
                return
        inner = K.shape if what == "windows" else X.shape
        if any(np.array_equal(T, layout) for layout in _layouts(expected, Y.shape, inner)):
            return
        if T.shape not in (expected.shape, expected.T.shape):
            raise Wrong(
                f"{said}, the matrix has the shape {expected.shape}, and yours {T.shape}.",
                found=T,
                **data,
            )
        raise Wrong(
            f"{said}, the matrix is {show(expected)}, and yours {show(T)}.", found=T, **data
        )

    def check(answer: Any) -> str:
        if not callable(answer):
            compare(*_case(*LESSON), answer)
            return PRAISE
        problems = []
        for way in ways:
            try:
                for shapes in SHAPES:
                    X, K = _case(*shapes)
                    compare(X, K, call(answer, way(X, K)))
                return PRAISE
            except Wrong as wrong:
                problems.append(wrong)
        # Of the ways to call it, the first one that it took tells most.
        raise next((p for p in problems if "found" in (p.counterexample or {})), problems[0])

    return check


def _windows(X: Matrix, K: Matrix) -> Matrix:
    windows: Matrix = X.reshape(-1)[window_places(X.shape, K.shape)]
    return windows


def _toeplitz(X: Matrix, K: Matrix) -> Matrix:
    elements: Matrix = np.append(K, 0.0)[kernel_places(K.shape, X.shape)]
    return elements


EXERCISES = (
    Exercise(
        "4a",
        "A product, by changing the image",
        "Write the windows of the image X (h, w) into a matrix, so that its product with the "
        "flattened kernel has the elements of corr2d(X, K). Answer with a function that takes X "
        "and the kernel's size (kh, kw) and gives the matrix, or takes X and K and gives a pair of "
        "matrices to multiply, or their product; or with the matrix for X = [[0, 1, 2], [3, 4, 5], "
        "[6, 7, 8]] and a kernel of the size (2, 2).",
        "Each element of the output is a sum of products of one window: one row for each.",
        "One row for each window, one column for each element of the kernel. It is called im2col. "
        "Every pixel is written down up to kh * kw times: more memory, for one fast product.",
        """
        def answer(X, kernel_size):
            return d2l.im2col(X, kernel_size)
        """,
        _checker(
            "windows",
            _windows,
            lambda X, K: [X, K.shape],
            lambda X, K: [X, *K.shape],
            lambda X, K: [X, K],
        ),
        shows="im2col",
    ),
    Exercise(
        "4b",
        "A product, by changing the kernel",
        "Write the kernel K (kh, kw) into a matrix, so that its product with the flattened image X "
        "(h, w) has the elements of corr2d(X, K). Answer with a function that takes K and the "
        "image's shape (h, w) and gives the matrix, or takes K and X and gives a pair of matrices "
        "to multiply, or their product; or with the matrix for K = [[0, 1], [2, 3]] and the shape "
        "(3, 3).",
        "For each element of the output, write down what each pixel is multiplied by; mostly 0.",
        "One row for each window, one column for each pixel. Rows of blocks, each block constant "
        "along its diagonals, and the blocks along theirs: a doubly blocked Toeplitz matrix.",
        """
        def answer(K, input_shape):
            return d2l.toeplitz(K, input_shape)
        """,
        _checker(
            "kernel",
            _toeplitz,
            lambda X, K: [K, X.shape],
            lambda X, K: [K, *X.shape],
            lambda X, K: [K, X],
            lambda X, K: [X, K],
        ),
        shows="toeplitz",
    ),
)
