"""Exercise 1: diagonal edges under the lesson's kernel, transposed images, transposed kernels."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from d2lconv.exercise.answers import Matrix, apart, call, matrix, shape, show
from d2lconv.exercise.model import Exercise, Wrong
from d2lconv.images import diagonal_image, edge_image

FORMS = (
    "\n\nAnswer with the result for the lesson's dc.diagonal_image(3), which is "
    "[[1, 0, 0], [0, 1, 0], [0, 0, 1]], or for another size; or with a pair (X, result), such as "
    "`([[0, 1], [1, 0]], {})`, for an image of your own; or with a function that takes X and gives "
    "the result."
)
OWN = "That is the result for your image."


def _difference(X: Matrix) -> Matrix:
    """The cross-correlation with [[1, -1]]."""
    return X[:, :-1] - X[:, 1:]


def check_image(answer: Any) -> str:
    """Whether an image has a diagonal edge."""
    X, error = matrix(answer, "an image, a matrix of numbers")
    if _diagonal(X, error):
        return "Your image has a diagonal edge."
    across, down = np.abs(_difference(X)).max(initial=0), np.abs(_difference(X.T)).max(initial=0)
    if across == down == 0:
        reason = "all its pixels are the same, so it has no edges"
    elif across == 0 or down == 0:
        reason = f"its edges are all {'horizontal' if across == 0 else 'vertical'}"
    else:
        reason = (
            "no edge in it, where neighbours differ by more than half of the most that any do, "
            "moves on by a column, or a row, again and again in one direction"
        )
    raise Wrong(f"The image has no diagonal edge: {reason}.", X=X)


def _diagonal(X: Matrix, error: float) -> bool:
    """Whether an image has an edge at an angle.

    It is constant along its diagonals; or two pixels that touch at a corner differ from the other
    two there, both ways, by more than half of its range; or an edge in it is a staircase.
    """
    if min(X.shape) < 2:
        return False
    atol = error * np.abs(X).max()
    for view in (X, X[:, ::-1]):
        along = np.abs(view[1:, 1:] - view[:-1, :-1]).max() <= atol
        if along and np.ptp(view) > atol:
            return True
        ends, others = (view[:-1, :-1], view[1:, 1:]), (view[:-1, 1:], view[1:, :-1])
        if (np.minimum(*ends) - np.maximum(*others)).max() > np.ptp(view) / 2 + atol:
            return True
        if any(
            _stairs(sign * _difference(side), atol) for side in (view, view.T) for sign in (1, -1)
        ):
            return True
    return False


def _stairs(differences: Matrix, atol: float) -> bool:
    """Whether an edge goes down the rows and steps to the right at least twice, never back.

    An edge is where the difference between neighbours is more than half the largest one.
    """
    largest = differences.max(initial=0)
    if largest <= atol:
        return False
    edge = differences > largest / 2
    steps = np.where(edge[0], 0, -1)  # steps of the longest staircase that ends here, -1 for none
    for above, row in pairwise(edge):
        straight = np.where(row & above, steps, -1)
        moved = np.full_like(steps, -1)
        fresh = row[1:] & above[:-1] & ~row[:-1] & ~above[1:]
        moved[1:] = np.where(fresh, steps[:-1] + 1, -1)
        steps = np.maximum(np.maximum(straight, moved), np.where(row, 0, -1))
        if steps.max() >= 2:
            return True
    return False


def _prediction(expected: Callable[[Matrix], Matrix], praise: str) -> Callable[[Any], str]:
    """The checker of a part that asks what becomes of an image; the praise is for the lesson's."""

    def compare(X: Matrix, answer: Any) -> None:
        Y, error = matrix(answer, "the result, a matrix of numbers")
        true = expected(X)
        if Y.shape != true.shape:
            raise Wrong(
                f"For X = {show(X)} the result has the shape {true.shape}, and yours {Y.shape}.",
                X=X,
                found=Y,
                expected=true,
            )
        off = np.abs(Y - true) > error * np.abs(X).max()
        if off.any():
            i, j = map(int, np.argwhere(off)[0])
            wanted, got = apart(true[i, j], Y[i, j])
            raise Wrong(
                f"For X = {show(X)} the element ({i}, {j}) of the result is {wanted}, and in yours "
                f"{got}.",
                X=X,
                found=Y,
                expected=true,
            )

    def check(answer: Any) -> str:
        if callable(answer):
            ramp = np.arange(6, dtype=np.float32).reshape(2, 3) ** 2
            for X in (diagonal_image(2), diagonal_image(3), ramp, edge_image()):
                compare(X.astype(np.float64), call(answer, [X]))
            return f"{praise} Your function is right for other images too."
        if (
            isinstance(answer, (tuple, list))
            and len(answer) == 2
            and len(shape(answer[0]) or ()) == 2
        ):
            X, _ = matrix(answer[0], "a pair (X, result)")
            if min(X.shape) < 2:
                raise Wrong(f"The image of the pair has the shape {X.shape}; take at least 2x2.")
            compare(X, answer[1])
            return OWN if expected(X).any() else f"{OWN} All of it is 0: there was nothing to see."
        Y, _ = matrix(answer, "the result, a matrix of numbers")
        compare(diagonal_image(max(2, *Y.shape)).astype(np.float64), answer)
        return praise

    return check


EXERCISES = (
    Exercise(
        "1a",
        "An image with diagonal edges",
        "What does an image with diagonal edges look like? An edge counts as diagonal if it runs "
        "neither along the rows nor along the columns.\n\n"
        "Answer with the image, a matrix of numbers, such as `[[0, 0], [0, 1]]`.",
        "What is left of a matrix if only the elements with equal indices are not zero?",
        "The identity matrix is a white line on black, from corner to corner.",
        "answer = d2l.diagonal_image(4)",
        check_image,
    ),
    Exercise(
        "1b",
        "The kernel on the diagonal",
        "What does the kernel K = [[1, -1]] make of an image X with diagonal edges?"
        + FORMS.format("[[0], [0]]"),
        "Subtract from each pixel its right neighbour, row by row.",
        "It responds on both sides of the line: with -1 where the next pixel is on it, with +1 on "
        "the line itself.\nA diagonal edge crosses every row, so a kernel that compares "
        "neighbours in a row sees it.",
        """
        def answer(X):
            return d2l.corr2d(X, [[1, -1]])
        """,
        _prediction(_difference, "The kernel responds on both sides of the diagonal."),
    ),
    Exercise(
        "1c",
        "The image transposed",
        "What does the kernel K = [[1, -1]] make of the transposed image? X is the image before it "
        "is transposed." + FORMS.format("[[0], [0]]"),
        "Which line of pixels becomes which? What does that mean for the line on the diagonal?",
        "The transposed image of a diagonal line is the same image, so the result is the same. "
        "In general it is not: vertical edges become horizontal ones, which this kernel cannot "
        "see.",
        """
        def answer(X):
            return d2l.corr2d(d2l.transpose(X), [[1, -1]])
        """,
        _prediction(
            lambda X: _difference(X.T), "Transposing a line on the diagonal changes nothing."
        ),
    ),
    Exercise(
        "1d",
        "The kernel transposed",
        "What does the transposed kernel, [[1], [-1]], make of the image?"
        + FORMS.format("[[0, 0]]"),
        "It subtracts from each pixel its lower neighbour.",
        "It compares neighbours in a column, and a diagonal edge crosses every column too: the "
        "result is what K makes of the transposed image, transposed.",
        """
        def answer(X):
            return d2l.corr2d(X, d2l.transpose([[1, -1]]))
        """,
        _prediction(
            lambda X: _difference(X.T).T,
            "It is what K makes of the transposed image, transposed.",
        ),
    ),
)
