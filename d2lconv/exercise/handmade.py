"""Exercise 2: kernels designed by hand, judged by what they answer to simple images."""

from collections.abc import Callable, Mapping
from math import isfinite, isnan, nan, sqrt
from numbers import Real
from typing import Any

import numpy as np

from d2lconv.exercise.answers import Matrix, call, matrix, number, shape, show
from d2lconv.exercise.model import Exercise, Wrong

A_KERNEL = "a kernel, a matrix of numbers"
DEGREE = 1 / 64  # the sine of 0.9 degrees: a direction that is closer than this is right
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (-2, 1), (0, -3), (3, 4), (0.6, -0.8))


def _answers(K: Matrix, image: Matrix, error: float) -> tuple[float, float]:
    """What the kernel answers to an image of its size, and how far rounding may have moved it."""
    return float((K * image).sum()) + 0.0, float(error * np.abs(K * image).sum())


def _places(K: Matrix) -> tuple[Matrix, Matrix]:
    """The rows and the columns of the elements, from the middle of the kernel."""
    i, j = np.indices(K.shape).astype(np.float64)
    return i - (K.shape[0] - 1) / 2, j - (K.shape[1] - 1) / 2


def _power(A: Matrix, n: int) -> Matrix:
    """A to the power n by multiplications, which every language rounds in the same way."""
    result = np.ones(A.shape)
    for _ in range(n):
        result = result * A
    return result


def _shown(image: Matrix) -> Matrix:
    """The image without the last digits, which rounding made, and without minus zeros."""
    return np.round(image, 12) + 0.0


def _expect_zero(K: Matrix, image: Matrix, error: float, why: str) -> None:
    found, bound = _answers(K, image, error)
    if abs(found) > bound:
        raise Wrong(
            f"{why}, but to X = {show(image)} your kernel answers {found:g} instead of 0.",
            X=image,
            K=K,
            found=found,
            expected=0.0,
        )


def check_direction(answer: Any) -> str:
    """Whether kernels, for directions v, answer to edges orthogonal to v and to no edges along v.

    What a kernel answers to the images (p . u)**r (p . v)**(d - r), u across v, is its moment of
    degree d. The lowest degree that does not vanish decides: in it, only r = 0 may be answered.
    """
    if callable(answer):
        for v in DIRECTIONS:
            _check_direction(v, call(answer, [v], v, [np.array(v, np.float64)]))
    elif isinstance(answer, Mapping) and answer:
        for v, K in answer.items():
            _check_direction(v, K)
    elif isinstance(answer, (tuple, list)) and len(answer) == 2 and shape(answer[0]) == (2,):
        _check_direction(*answer)
    else:
        raise Wrong(
            "The answer should be a function that takes v and gives a kernel, a pair (v, kernel), "
            "or a dictionary of kernels for directions v."
        )
    return "It answers to edges orthogonal to v, and is blind to edges along v."


def _check_direction(v: Any, kernel: Any) -> None:
    try:
        v1, v2 = (number(component) for component in v)
    except (TypeError, ValueError):
        v1 = v2 = 0.0
    largest = max(abs(v1), abs(v2))
    if not (isfinite(v1) and isfinite(v2)) or largest == 0:
        raise Wrong(f"{v!r} is no direction: take a pair of numbers (down, right), not both 0.")
    K, error = matrix(kernel, A_KERNEL, row=True)
    said = f"For v = ({v1:g}, {v2:g})"
    _expect_zero(K, np.ones(K.shape), error, f"{said} a constant image has no edges")
    i, j = _places(K)
    u1, u2 = v1 / largest, v2 / largest
    length = sqrt(u1 * u1 + u2 * u2)
    along, across = (u1 * i + u2 * j) / length, (u1 * j - u2 * i) / length
    for degree in range(1, 5):
        images = [_power(across, r) * _power(along, degree - r) for r in range(degree + 1)]
        answers = [_answers(K, image, error) for image in images]
        if all(abs(found) <= bound for found, bound in answers):
            continue
        wanted = abs(answers[0][0])
        for image, (found, bound) in zip(images[1:], answers[1:], strict=True):
            if abs(found) > bound + DEGREE * wanted:
                X = _shown(image)
                raise Wrong(
                    f"{said} and X = {show(X)}, which changes across v, your kernel answers "
                    f"{found:.4g}, and {answers[0][0]:.4g} to the same change along v: the first "
                    "must be 0 beside the second, within one degree. v counts first down the rows, "
                    "then right.",
                    v=(v1, v2),
                    X=X,
                    K=K,
                    found=found,
                    expected=0.0,
                )
        return
    X = _shown(along)
    raise Wrong(
        f"{said} your kernel answers nothing to X = {show(X)}, which gets brighter along v.",
        v=(v1, v2),
        X=X,
        K=K,
        found=0.0,
    )


def check_second_derivative(answer: Any) -> str:
    """Whether a kernel is a second derivative, a size its minimal one, an image what it likes."""
    parts: Mapping[Any, Any]
    if isinstance(answer, Mapping):
        parts = answer
    elif isinstance(answer, tuple) and all(hasattr(n, "__index__") for n in answer):
        parts = {"size": answer}
    else:
        made = _made(answer)
        parts = {"size" if isinstance(made, Real) else "kernel": made}
    checkers = {"kernel": _check_second, "size": _check_three, "structure": _check_line}
    unknown = [key for key in parts if key not in checkers]
    if unknown or not parts:
        raise Wrong(
            f"The answer should have the keys {', '.join(checkers)}, one or more of them, and has "
            f"{', '.join(map(repr, parts)) or 'none'}."
        )
    return " ".join(checkers[key](parts[key]) for key in parts)


def _made(answer: Any, *ways: Any) -> Any:
    """The kernel that a function gives, if the answer is one."""
    return call(answer, [], *ways) if callable(answer) else answer


def _check_second(answer: Any) -> str:
    K, error = matrix(answer, A_KERNEL, row=True)
    i, j = _places(K)
    _expect_zero(K, np.ones(K.shape), error, "A constant image has no second derivative")
    _expect_zero(K, j, error, "A ramp has no second derivative")
    _expect_zero(K, i, error, "A ramp has no second derivative")
    bent = {"down": i * i, "right": j * j, "in both directions": i * j}
    found = {name: _answers(K, image, error) for name, image in bent.items()}
    seen = {name: value for name, (value, bound) in found.items() if abs(value) > bound}
    if not seen:
        X = j * j if K.shape[1] >= K.shape[0] else i * i
        raise Wrong(
            f"To the parabola X = {show(X)}, whose second derivative is 2, your kernel answers 0.",
            X=X,
            K=K,
            found=0.0,
            expected=2.0,
        )
    (name, value), *_ = seen.items()
    times = f"{value / (1 if name == 'in both directions' else 2):g}"
    return f"It is a second derivative {name}" + (f", times {times}." if times != "1" else ".")


def _check_three(answer: Any) -> str:
    if isinstance(answer, tuple) and not (len(answer) == 2 and 1 in answer and 3 in answer):
        raise Wrong(
            f"A kernel of the size {answer!r} is not the smallest: [[1, -2, 1]] has the size "
            "(1, 3), and with two elements, a constant and a ramp leave only [[0, 0]].",
            K=np.array([[1.0, -2.0, 1.0]]),
        )
    if not isinstance(answer, tuple) and not (shape(answer) == () and answer == 3):
        raise Wrong(
            f"{answer!r} is not the smallest number of elements: [[1, -2, 1]] has 3, and with two, "
            "a constant and a ramp leave only [[0, 0]].",
            K=np.array([[1.0, -2.0, 1.0]]),
        )
    return "Three elements are the minimum."


def _check_line(answer: Any) -> str:
    X, error = matrix(answer, "an image, a matrix of numbers", row=True)
    span = float(np.ptp(X))
    views = [view for view in (X, X.T) if view.shape[1] >= 3]
    found = max(
        (float(np.abs(V[:, :-2] - 2 * V[:, 1:-1] + V[:, 2:]).max()) for V in views), default=0.0
    )
    if span == 0 or found < 2 * span * (1 - error):
        raise Wrong(
            f"Between the same darkest and brightest pixels, [[1, -2, 1]] answers at most {found:g}"
            f" to your image, and {2 * span or 2:g} to a line one pixel wide, [[0, 1, 0]].",
            X=X,
            found=found,
            expected=2 * span,
        )
    return "A line one pixel wide is answered most."


def check_blur(answer: Any) -> str:
    """Whether a kernel takes means: weights that are not negative, sum to 1, and are several."""
    K, error = matrix(_made(answer, [3], [1.0], [3, 1.0]), A_KERNEL, row=True)
    total, bound = _answers(K, np.ones(K.shape), error)
    if abs(total - 1) > bound * K.size:  # dividing by a sum brings the sum's own rounding in
        X = np.ones(K.shape)
        raise Wrong(
            f"A blur leaves a constant image as it is, but to X = {show(X)} your kernel answers "
            f"{total:.6g}: its elements must add up to 1.",
            X=X,
            K=K,
            found=total,
            expected=1.0,
        )
    if K.min() < -error * np.abs(K).max():
        X = (K > 0).astype(np.float64)
        found = float((K * X).sum())
        raise Wrong(
            f"A blur gives means, but to X = {show(X)} your kernel answers {found:g}, which is "
            "brighter than its brightest pixel: no element may be negative.",
            X=X,
            K=K,
            found=found,
        )
    if np.count_nonzero(np.abs(K) > error) < 2:
        X = (np.abs(K) > error).astype(np.float64)
        raise Wrong(
            f"To a single white pixel, X = {show(X)}, your kernel answers 1: it moves the image at "
            "most, and blurs nothing. At least two elements must be positive.",
            X=X,
            K=K,
            found=1.0,
        )
    return "It takes weighted means: noise and fine detail fade, and brightness stays."


def check_minimum(answer: Any) -> str:
    """Whether the smallest kernel for a derivative of order d is said to have d + 1 elements."""
    says: Callable[[int], Any]
    if callable(answer):
        says, orders = (lambda d: call(answer, [d])), list(range(1, 13))
    elif isinstance(answer, Mapping) and answer:
        says, orders = answer.__getitem__, list(answer)
    elif (isinstance(answer, (list, tuple)) or len(shape(answer) or ()) == 1) and len(answer):
        says, orders = (lambda d: answer[d - 1]), list(range(1, len(answer) + 1))
    else:
        raise Wrong(
            "The answer should be a function of the order d, or a list or dictionary of the sizes "
            "for d = 1, 2, ..."
        )
    for d in orders:
        if isinstance(d, bool) or not hasattr(d, "__index__") or d < 1:
            raise Wrong(f"{d!r} is no order of a derivative; take 1, 2, ...")
    for d in sorted(orders):
        n = _elements(says(d), d)
        if n < d + 1:
            raise Wrong(
                f"For d = {d} you say {n:g}, but the smallest kernel has {d + 1} elements: the "
                "smaller ones that answer 0 to all polynomials of lower degree answer 0 to those "
                f"of degree {d} too.",
                d=d,
                found=n,
                expected=d + 1,
            )
        if n > d + 1:
            raise Wrong(
                f"For d = {d} you say {n:g}, but {d + 1} elements are enough: the difference "
                f"[[-1, 1]], taken {d} times.",
                d=d,
                found=n,
                expected=d + 1,
            )
    return "One more than the order; dc.kernels.derivative has the proof."


def _elements(size: Any, d: int) -> float:
    """The number of elements that an answer for one order means."""
    dimensions = shape(size)
    pair = isinstance(size, tuple) and dimensions == (2,) and 1 in size
    if pair or dimensions == ():
        try:
            said = [number(n) for n in (size if pair else [size])]
        except (TypeError, ValueError):
            said = [nan]
        if any(map(isnan, said)):
            raise Wrong(f"For d = {d} you say {size!r}, which is no number.", d=d)
        return max(said)
    K, error = matrix(size, "a number, a size (1, n), or a kernel", row=True)
    j = np.arange(K.size, dtype=np.float64).reshape(K.shape) - (K.size - 1) / 2
    for power in range(min(d, K.size)):  # no kernel but 0 answers 0 to as many as it has elements
        image = _power(j, power)
        _expect_zero(K, image, error, f"For d = {d}, lower powers have no derivative")
    if d < K.size:
        found, bound = _answers(K, _power(j, d), error)
        if abs(found) <= bound:
            raise Wrong(f"For d = {d} your kernel answers 0 to the power {d}.", d=d, K=K)
    return float(K.size)


EXERCISES = (
    Exercise(
        "2a",
        "Edges orthogonal to a direction",
        "For any direction v = (v1, v2), v1 down the rows and v2 right along the columns, find a "
        "kernel that detects the edges orthogonal to v, and does not answer to edges along v. "
        "Answer with a function that takes v and gives the kernel, or with a pair (v, kernel). Any "
        "multiple and any size will do; the direction must be right within one degree.",
        "The derivative in the direction v is v1 times the one down plus v2 times the one right.",
        "Differences between the neighbours below and above, times v1, plus those between the "
        "neighbours right and left, times v2. On a slope g it answers 2 (g . v), which is 0 where "
        "the brightness changes across v only, that is at an edge along v.",
        """
        def answer(v):
            v1, v2 = v
            return d2l.tensor([[0, -v1, 0], [-v2, 0, v2], [0, v1, 0]])
        """,
        check_direction,
    ),
    Exercise(
        "2b",
        "A second derivative",
        "Find a kernel for a second derivative, the number of elements of the smallest one, and an "
        "image of the structure that it answers to most. Answer with a kernel, of which any "
        "multiple will do, with the number, or with a dictionary of some of 'kernel', 'size' and "
        "'structure'.",
        "Take the difference of the differences.",
        "X(j-1) - 2 X(j) + X(j+1) is the difference of two neighbouring differences. Two elements "
        "are too few: a constant and a ramp must both give 0. Thin lines, one pixel wide, change "
        "the slope most from one pixel to the next.",
        """
        answer = {
            "kernel": d2l.tensor([[1, -2, 1]]),
            "size": 3,
            "structure": d2l.tensor([[0, 1, 0], [0, 1, 0], [0, 1, 0]]),
        }
        """,
        check_second_derivative,
    ),
    Exercise(
        "2c",
        "A blur",
        "Find a kernel that blurs an image. Why would you want to? Answer with the kernel.",
        "What is a mean? What must happen to an image in which nothing changes?",
        "Each pixel becomes a mean of its neighbours, with weights that add up to 1. It takes the "
        "noise off before edges are looked for, and the detail off before an image is shrunk.",
        """
        answer = d2l.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
        """,
        check_blur,
    ),
    Exercise(
        "2d",
        "The smallest kernel for a derivative of order d",
        "How many elements has the smallest kernel for a derivative of the order d? Answer with a "
        "function of d, a dictionary, or a list for d = 1, 2, ...",
        "To which polynomials must it answer 0? How many equations is that, for how many unknowns?",
        "It must answer 0 to the powers 0 to d - 1, and not to the power d. These are d equations "
        "that are independent of each other, so d elements must all be 0; d + 1 leave one freedom, "
        "the scale. dc.kernels.derivative(d) is that kernel.",
        """
        def answer(d):
            return d + 1
        """,
        check_minimum,
    ),
)
