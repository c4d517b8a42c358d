"""Exercise 2: kernels designed by hand, judged by their responses to simple images."""

from collections.abc import Callable, Mapping
from math import isfinite, isnan, nan, prod, sqrt
from numbers import Real
from typing import Any

import numpy as np

from d2lconv.exercise.answers import Matrix, call, matrix, number, shape, show
from d2lconv.exercise.model import Exercise, Wrong

A_KERNEL = "a kernel, a matrix of numbers"
DEGREE = 1 / 64  # the sine of 0.9 degrees: a direction that is closer than this is right
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (-2, 1), (0, -3), (3, 4), (0.6, -0.8))


def _answers(K: Matrix, image: Matrix, error: float) -> tuple[float, float]:
    """The kernel's response to an image of its size, and how far rounding may have moved it."""
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
            f"{why}, but to X = {show(image)} your kernel responds with {found:g} instead of 0.",
            X=image,
            K=K,
            found=found,
            expected=0.0,
        )


def check_direction(answer: Any) -> str:
    """Whether kernels, for directions v, respond to edges orthogonal to v, and to none along v.

    The response of a kernel to the images (p . u)**r (p . v)**(d - r), u across v, is its moment of
    degree d. The lowest degree that does not vanish decides: in it, only r = 0 may have a response.
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
    return "It responds to edges orthogonal to v, and is blind to edges along v."


def _check_direction(v: Any, kernel: Any, ask: bool = True) -> None:
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
        wanted = answers[0][0]
        for r, (found, bound) in enumerate(answers[1:], 1):
            if abs(found) > bound + DEGREE * abs(wanted):
                X = _shown(images[r])
                way = (
                    "changes across v only, as an edge along v does"
                    if r == degree
                    else ("changes across v as well as along it")
                )
                raise Wrong(
                    f"{said} your kernel responds with {found:.4g} to X = {show(X)}, which {way}, "
                    f"and with {wanted:.4g} to the same change along v. Within one degree, the "
                    "first must be 0 beside the second. v counts first down the rows, then right."
                    + (_swapped(v1, v2, K) if ask else ""),
                    v=(v1, v2),
                    X=X,
                    K=K,
                    found=found,
                    expected=0.0,
                )
        return
    data = {"v": (v1, v2), "K": K, "found": 0.0}
    if not K.any():
        raise Wrong(f"{said} your kernel is all zeros, so it responds to nothing.", **data)
    X = _shown(along)
    raise Wrong(
        f"{said} your kernel responds with 0 to X = {show(X)}, which gets brighter along v.",
        X=X,
        **data,
    )


def _swapped(v1: float, v2: float, K: Matrix) -> str:
    """A question, if the kernel is right for the direction (v2, v1)."""
    if abs(v1) == abs(v2):
        return ""
    try:
        _check_direction((v2, v1), K, ask=False)
    except Wrong:
        return ""
    return f" It is right for ({v2:g}, {v1:g}): did you swap v1 and v2?"


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
    bent = {"down the columns": i * i, "along the rows": j * j, "in both directions": i * j}
    found = {name: _answers(K, image, error) for name, image in bent.items()}
    seen = {name: value for name, (value, bound) in found.items() if abs(value) > bound}
    if not seen and not K.any():
        raise Wrong("Your kernel is all zeros, so it responds to nothing.", K=K, found=0.0)
    if not seen:
        X = j * j if K.shape[1] >= K.shape[0] else i * i
        raise Wrong(
            f"The second derivative of the parabola X = {show(X)} is 2, but your kernel responds "
            "with 0.",
            X=X,
            K=K,
            found=0.0,
            expected=2.0,
        )
    shares = {name: value / (1 if "both" in name else 2) for name, value in seen.items()}
    if [f"{share:g}" for share in shares.values()] == ["1"]:
        return f"It is a second derivative {next(iter(shares))}."
    terms = [f"{share:g} times the one {name}" for name, share in shares.items()]
    return f"It is a second derivative: {' plus '.join(terms)}."


def _check_three(answer: Any) -> str:
    sizes = answer if isinstance(answer, tuple) else (answer,)
    try:
        if isinstance(answer, tuple) and len(answer) != 2:
            raise ValueError("a size has two numbers")
        count = prod(number(size) if shape(size) == () else nan for size in sizes)
        whole = all(number(size) >= 1 and number(size) % 1 == 0 for size in sizes)
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise Wrong(
            f"{answer!r} is no number of elements: answer with a whole number, or with a size "
            "(height, width)."
        )
    if count < 3:
        raise Wrong(
            f"{answer!r} is not enough: with fewer than three elements, a constant and a ramp, "
            "which must both give 0, leave a kernel of zeros."
        )
    if count > 3:
        raise Wrong(
            f"{answer!r} is not the smallest: [[1, -2, 1]] has 3 elements.",
            K=np.array([[1.0, -2.0, 1.0]]),
        )
    return "Three elements are the minimum."


def _check_line(answer: Any) -> str:
    X, error = matrix(answer, "an image, a matrix of numbers", row=True)
    span = float(np.ptp(X))
    views = [view for view in (X, X.T) if view.shape[1] >= 3]
    if not views:
        raise Wrong(
            f"An image of the shape {X.shape} is too small for [[1, -2, 1]], even turned: it needs "
            "three columns or three rows.",
            X=X,
        )
    if span == 0:
        raise Wrong("Your image is constant, and [[1, -2, 1]] responds with 0 to it.", X=X)
    found = max(float(np.abs(V[:, :-2] - 2 * V[:, 1:-1] + V[:, 2:]).max()) for V in views)
    if found < 2 * span * (1 - error):
        line = np.array([[X.min(), X.max(), X.min()]]) + 0.0
        raise Wrong(
            f"To your image [[1, -2, 1]], as it is or turned, responds with at most {found:g} in "
            f"size. With the same darkest and brightest pixels, a line one pixel wide, "
            f"{show(line)}, gets {2 * span:g}.",
            X=X,
            found=found,
            expected=2 * span,
        )
    return (
        f"[[1, -2, 1]], as it is or turned, responds with {found:g} in size to your image: between "
        "the same darkest and brightest pixels no image gets more."
    )


def check_blur(answer: Any) -> str:
    """Whether a kernel takes means: weights that are not negative, sum to 1, and are several."""
    K, error = matrix(_made(answer, [3], [1.0], [3, 1.0]), A_KERNEL, row=True)
    total, bound = _answers(K, np.ones(K.shape), error)
    if abs(total - 1) > bound * K.size:  # dividing by a sum brings the sum's own rounding in
        X = np.ones(K.shape)
        raise Wrong(
            f"A blur leaves a constant image as it is, but to X = {show(X)} your kernel responds "
            f"with {total:.6g}: its elements must add up to 1.",
            X=X,
            K=K,
            found=total,
            expected=1.0,
        )
    most = float(np.abs(K).max())
    if K.min() < -error * most:
        X = np.zeros(K.shape)
        X.flat[int(K.argmin())] = 1.0
        raise Wrong(
            f"A blur gives means, but to a white pixel on black, X = {show(X)}, your kernel "
            f"responds with {K.min():g}, which is darker than black: no element may be negative.",
            X=X,
            K=K,
            found=float(K.min()),
        )
    if np.count_nonzero(np.abs(K) > error * most) < 2:
        X = (np.abs(K) > error * most).astype(np.float64)
        raise Wrong(
            f"To a single white pixel, X = {show(X)}, your kernel responds with {most:g}: it moves "
            "the image at most, and blurs nothing. At least two elements must be positive.",
            X=X,
            K=K,
            found=most,
        )
    return "It takes weighted means of neighbours: brightness stays, and noise is averaged."


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
                f"For d = {d} you say {n:g}, which is not enough: so few elements, if they "
                f"ignore all polynomials of a degree below {d}, are all 0.",
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
        if any(isnan(n) or n < 1 or (isfinite(n) and n % 1) for n in said):
            raise Wrong(f"For d = {d} you say {size!r}, which is no number of elements.", d=d)
        return max(said)
    K, error = matrix(size, "a number, a size (1, n), or a kernel", row=True)
    j = np.arange(K.size, dtype=np.float64).reshape(K.shape) - (K.size - 1) / 2
    for power in range(min(d, K.size)):  # only 0 ignores as many as it has elements
        image = _power(j, power)
        _expect_zero(K, image, error, f"For d = {d} a kernel ignores polynomials of degree {power}")
    if d < K.size:
        found, bound = _answers(K, _power(j, d), error)
        if abs(found) <= bound:
            X = _power(j, d)
            raise Wrong(
                f"For d = {d} your kernel responds with 0 to X = {show(X)}, a polynomial of degree "
                f"{d}, whose derivative of that order is not 0.",
                d=d,
                X=X,
                K=K,
            )
    return float(K.size)


EXERCISES = (
    Exercise(
        "2a",
        "Edges orthogonal to a direction",
        "Which kernel detects the edges orthogonal to a direction v = (v1, v2), and ignores edges "
        "along v? v1 counts down the rows, v2 right along the columns. Any multiple and any size "
        "will do; the direction must be right within one degree.\n\n"
        "Answer with a function that takes v and gives the kernel, or with a dictionary of kernels "
        "for directions of yours, such as `{(0, 1): [[-1, 1]], (1, 0): ..., (1, 2): ...}`.",
        "The derivative in the direction v is v1 times the one down plus v2 times the one right.",
        "Differences between the neighbours below and above, times v1, plus those between the "
        "neighbours right and left, times v2. The response to a slope g is 2 (g . v), which is 0 "
        "where the brightness changes across v only, that is at an edge along v.",
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
        "Which kernel computes a second derivative? How many elements has the smallest one? And to "
        "which structure in an image does it respond most?\n\n"
        "Answer with a kernel, of which any multiple will do, or with a number, or with a "
        "dictionary such as `{'kernel': [[1, -1]], 'size': 2, 'structure': [[0, 0, 1, 1]]}` of "
        "all three.",
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
        "Which kernel blurs an image? And why would you want to?\n\n"
        "Answer with the kernel, such as `[[0, 1], [1, 0]]`.",
        "What is a mean? What must happen to an image in which nothing changes?",
        "Each pixel becomes a mean of its neighbours, with weights that add up to 1. That removes "
        "noise before we look for edges, and fine detail before we shrink an image.",
        """
        answer = d2l.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
        """,
        check_blur,
    ),
    Exercise(
        "2d",
        "The smallest kernel for a derivative of order d",
        "How many elements has the smallest kernel for a derivative of order d?\n\n"
        "Answer with a function of d, or with a list of the sizes for d = 1, 2, ..., such as "
        "`[1, 1, 1, 1]`.",
        "Which polynomials must it ignore? How many equations is that, for how many unknowns?",
        "It must give 0 for the powers 0 to d - 1, but not for the power d. These are d "
        "independent equations, so d elements would all be 0; d + 1 elements leave one freedom, "
        "the scale. dc.kernels.derivative(d) is that kernel.",
        """
        def answer(d):
            return d + 1
        """,
        check_minimum,
    ),
)
