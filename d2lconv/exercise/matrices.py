"""Exercise 4: a cross-correlation as a product of matrices."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lconv.core import reference
from d2lconv.core.places import kernel_places, window_places
from d2lconv.exercise.answers import Matrix, call, matrix, show
from d2lconv.exercise.model import Exercise, Wrong

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

Way = Callable[[Matrix, Matrix], list[Any]]
# A kind of answer, the order of the outputs, that of what is multiplied, and whether transposed.
Reading = tuple[str, str, str, bool]
ORDERS = ("row by row", "column by column")


@dataclass(frozen=True)
class Task:
    """What a part asks for.

    Attributes:
        true: The matrix, from the image and the kernel, all orders row by row.
        flattened: What the matrix is multiplied by, "kernel" or "image".
        ways: How a function may be called.
    """

    true: Callable[[Matrix, Matrix], Matrix]
    flattened: str
    ways: tuple[Way, ...]

    def other(self, X: Matrix, K: Matrix) -> Matrix:
        """What the matrix is multiplied by, before it is flattened."""
        return K if self.flattened == "kernel" else X

    def check(self, answer: Any) -> str:
        """Check an answer, and say in which order it is right."""
        if not callable(answer):
            readings = self._readings(*_case(*LESSON), answer)
            if all(kind == "product" for kind, *_ in readings):
                raise Wrong(
                    "These are the elements of the cross-correlation already. Answer with the "
                    f"matrix that gives them when it is multiplied by the flattened "
                    f"{self.flattened}."
                )
            return self._praise(readings[0])
        problems = []
        for way in self.ways:
            try:
                return self._praise(self._tried(answer, way))
            except Wrong as wrong:
                problems.append(wrong)
        # Of the ways to call it, the first one that it took tells most.
        raise next((p for p in problems if "found" in (p.counterexample or {})), problems[0])

    def _tried(self, answer: Callable[..., Any], way: Way) -> Reading:
        """How the results of a function for all shapes are right, all in the same way."""
        common: list[Reading] | None = None
        for shapes in SHAPES:
            X, K = _case(*shapes)
            found = self._readings(X, K, call(answer, way(X, K)))
            common = [r for r in (found if common is None else common) if r in found]
            if not common:
                raise Wrong(
                    f"For X = {show(X)} and K = {show(K)} the elements stand in another order "
                    "than for smaller ones.",
                    X=X,
                    K=K,
                    found=None,
                )
        assert common
        return common[0]

    def _praise(self, reading: Reading) -> str:
        kind, rows, columns, transposed = reading
        order = "" if rows == ORDERS[0] else f", {rows}"
        if kind == "product":
            return f"These are the elements of the cross-correlation{order}."
        if kind == "pair":
            return f"The product is the cross-correlation{order}."
        vector = f"the {self.flattened} flattened {columns}"
        how = f"{vector} times your matrix" if transposed else f"your matrix times {vector}"
        return f"{how[0].upper()}{how[1:]} is the cross-correlation{order}."

    def _readings(self, X: Matrix, K: Matrix, found: Any) -> list[Reading]:
        """All ways in which an answer is right for an image and a kernel; else the reason."""
        Y = reference.corr2d(X, K)
        said = f"For X = {show(X)} and K = {show(K)}"
        data = {"X": X, "K": K, "expected": self.true(X, K)}
        if isinstance(found, tuple) and len(found) == 2:
            product, error = _multiplied(found, said, data)
            readings: list[Reading] = [
                ("pair", name, ORDERS[0], False)
                for name, order in _orders(Y.shape)
                if _same(product, Y.reshape(-1)[order], error)
            ]
            if not readings:
                raise Wrong(
                    f"{said}, the product is {show(product)}, and the cross-correlation "
                    f"{show(Y.reshape(-1))}.",
                    found=product,
                    **data,
                )
            return readings
        T, error = matrix(found, "a matrix", row=True)
        readings = list(self._layouts(T, error, X, K))
        if T.shape == Y.shape or (T.size == Y.size and 1 in T.shape):  # it was multiplied already
            readings += [
                ("product", name, ORDERS[0], False)
                for name, order in _orders(Y.shape)
                if _same(T.reshape(-1), Y.reshape(-1)[order], error)
            ]
        if not readings:
            self._reject(T, X, K, said, data)
        return readings

    def _layouts(self, T: Matrix, error: float, X: Matrix, K: Matrix) -> Iterator[Reading]:
        """The orders in which a matrix is the one that is asked for, and whether transposed."""
        expected, Y = self.true(X, K), reference.corr2d(X, K)
        for transposed in (False, True):
            for rows, row in _orders(Y.shape):
                for columns, column in _orders(self.other(X, K).shape):
                    layout = expected[row][:, column]
                    if _same(T, layout.T if transposed else layout, error):
                        yield "matrix", rows, columns, transposed

    def _reject(self, T: Matrix, X: Matrix, K: Matrix, said: str, data: dict[str, Any]) -> None:
        """Say for which flattened kernel, or image, a matrix does not give what it should."""
        expected = self.true(X, K)
        height, width = expected.shape
        if T.shape not in (expected.shape, expected.T.shape):
            raise Wrong(
                f"{said}, the matrix needs a row for each of the {height} windows, and a column "
                f"for each of the {width} elements of the {self.flattened}; yours has the shape "
                f"{T.shape}.",
                found=T,
                **data,
            )
        A = T if T.shape == expected.shape else T.T
        order = "" if A is T else ", transposed,"
        vector, flat = self.other(X, K).reshape(-1), f"{self.flattened} flattened row by row"
        if _same(A @ vector, expected @ vector, 2**-20):  # then another one tells them apart
            vector = np.eye(width)[np.abs(A - expected).max(axis=0).argmax()]
            flat = f"flattened {self.flattened}"
        product, wanted = A @ vector, expected @ vector
        raise Wrong(
            f"{said}, your matrix{order} times the {flat}, {show(vector)}, is {show(product)}; it "
            f"should be {show(wanted)}."
            if "row" in flat
            else f"{said}, your matrix{order} is right for this {self.flattened}, and not for "
            f"every one: times the {flat} {show(vector)} it is {show(product)}, and should be "
            f"{show(wanted)}.",
            found=T,
            **data,
        )


def _case(image: tuple[int, int], kernel: tuple[int, int]) -> tuple[Matrix, Matrix]:
    """An image and a kernel of small, different whole numbers; the lesson's for its shapes."""
    X = np.arange(image[0] * image[1], dtype=np.float64).reshape(image)
    K = np.arange(kernel[0] * kernel[1], dtype=np.float64).reshape(kernel)
    return (X, K) if (image, kernel) == LESSON else (X + 1, K + 1)


def _orders(shape: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    """The two usual orders of the elements of a matrix: row by row, and column by column."""
    places = np.arange(np.prod(shape)).reshape(shape)
    yield ORDERS[0], places.reshape(-1)
    yield ORDERS[1], places.T.reshape(-1)


def _same(one: Matrix, other: Matrix, error: float) -> bool:
    """Whether two arrays are equal, up to the rounding of a few operations."""
    if one.shape != other.shape:
        return False
    return bool(np.abs(one - other).max() <= error * np.abs(other).max())


def _multiplied(pair: Any, said: str, data: dict[str, Any]) -> tuple[Matrix, float]:
    """The product of two matrices, and the rounding error that it may carry."""
    A, error = matrix(pair[0], "a matrix, or a pair of matrices to multiply")
    B, other = matrix(pair[1], "a matrix, or a pair of matrices to multiply", row=True)
    B = B.T if A.shape[1] != B.shape[0] else B
    if A.shape[1] != B.shape[0]:
        raise Wrong(f"{said}, the shapes {A.shape} and {B.shape} do not multiply.", **data)
    return (A @ B).reshape(-1), error + other


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
        "How can you write the windows of the image X (h, w) into a matrix, so that its product "
        "with the flattened kernel has the elements of corr2d(X, K)?\n\n"
        "Answer with the matrix for X = [[0, 1, 2], [3, 4, 5], [6, 7, 8]] and a kernel of the size "
        "(2, 2), such as `[[0, 0, 0, 0], [1, 1, 1, 1], ...]`; or with a function that takes X and "
        "the kernel's size (kh, kw) and gives the matrix, or takes X and K and gives a pair of "
        "matrices to multiply, or their product.",
        "Each element of the output is a sum of products of one window: one row for each.",
        "One row for each window, one column for each element of the kernel. It is called im2col. "
        "Every pixel is written down up to kh * kw times: more memory, for one fast product.",
        """
        def answer(X, kernel_size):
            return d2l.im2col(X, kernel_size)
        """,
        Task(
            _windows,
            "kernel",
            (
                lambda X, K: [X, K.shape],
                lambda X, K: [X, *K.shape],
                lambda X, K: [X, K],
            ),
        ).check,
        shows="im2col",
    ),
    Exercise(
        "4b",
        "A product, by changing the kernel",
        "How can you write the kernel K (kh, kw) into a matrix, so that its product with the "
        "flattened image X (h, w) has the elements of corr2d(X, K)?\n\n"
        "Answer with the matrix for K = [[0, 1], [2, 3]] and an image of the shape (3, 3), such as "
        "`[[0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1], ...]`; or with a function "
        "that takes K and the image's shape (h, w) and gives the matrix, or takes K and X and "
        "gives a pair of matrices to multiply, or their product.",
        "For each element of the output, write down what each pixel is multiplied by; mostly 0.",
        "One row for each window, one column for each pixel. Rows of blocks, each block constant "
        "along its diagonals, and the blocks along theirs: a doubly blocked Toeplitz matrix.",
        """
        def answer(K, input_shape):
            return d2l.toeplitz(K, input_shape)
        """,
        Task(
            _toeplitz,
            "image",
            (
                lambda X, K: [K, X.shape],
                lambda X, K: [K, *X.shape],
                lambda X, K: [K, X],
                lambda X, K: [X, K],
            ),
        ).check,
        shows="toeplitz",
    ),
)
