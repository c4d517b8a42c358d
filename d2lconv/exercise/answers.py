"""Reading answers: matrices of any framework, and functions for the tensors of any framework."""

import sys
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core import registry, selection
from d2lconv.core.data import detached
from d2lconv.errors import D2LConvError
from d2lconv.exercise.model import Wrong

Matrix = NDArray[np.float64]


def array(answer: Any, what: str, rank: int) -> NDArray[Any]:
    """An answer as an array, without leading axes of 1 beyond that rank.

    Args:
        answer: A list, an array, a native tensor, or a sparse matrix.
        what: What it should be, for messages.
        rank: The number of axes.
    """
    answer = answer.toarray() if hasattr(answer, "toarray") else answer
    try:
        values = detached(answer)
    except D2LConvError as error:
        raise Wrong(f"The answer should be {what}, and is none: {error}") from None
    while values.ndim > rank and values.shape[0] == 1:
        values = values[0]
    return values


def matrix(answer: Any, what: str, *, row: bool = False) -> tuple[Matrix, float]:
    """An answer as a matrix, and the rounding error that each of its elements may carry.

    Args:
        answer: As for :func:`array`.
        what: The same.
        row: Whether a vector will do, as a matrix of one row.

    Returns:
        The matrix in float64, and a bound on the relative error of an element that was computed
        with a few operations in the answer's floating type. Nobody knows of a list or of a float64
        array whether it was computed in float32, so they are taken as if they were.
    """
    values = array(answer, what, 2)  # one image, one channel
    eps = max(np.finfo(values.dtype).eps, np.finfo(np.float32).eps)
    if values.ndim == 1 and row:
        values = values[None]
    if values.ndim != 2 or values.size == 0:
        raise Wrong(f"The answer should be {what}, and has the shape {values.shape}.")
    if not np.isfinite(values).all():
        raise Wrong(f"The answer should be {what}, and has elements that are no finite numbers.")
    return values.astype(np.float64), 8 * float(eps)


def shape(value: Any) -> tuple[int, ...] | None:
    """The shape of what may be anything, () of what is no array; None if it is ragged."""
    try:
        return tuple(np.shape(value))
    except ValueError:
        return None


def number(value: Any) -> float:
    """A number as a float, infinite beyond the largest one.

    Raises:
        TypeError: It is none. Text is none either, even if Python could read it as one.
        ValueError: The same.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError("text is no number")
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def call(function: Callable[..., Any], *ways: Sequence[Any]) -> Any:
    """What a function gives for the first of these lists of arguments that it takes.

    NumPy arrays among the arguments are handed over as tensors of the backend in force; where the
    function does not take those, as tensors of each framework that has been imported.
    """
    first: Exception | None = None
    for backend in _backends():
        for arguments in ways:
            native = [
                backend.tensors.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments
            ]
            try:
                return function(*native)
            except Exception as error:  # whatever goes wrong in it, the answer is wrong
                first = first or error
    name = getattr(function, "__name__", type(function).__name__)
    told = ", ".join(show(a) for a in ways[0])
    raise Wrong(f"{name}({told}) raises {type(first).__name__}: {first}", arguments=ways[0])


def _backends() -> Iterator[registry.Backend]:
    """The backend in force, then those whose frameworks have been imported."""
    names = [selection.current_backend()] + [
        name
        for name, (manifest, _) in registry.manifests().items()
        if manifest.modules[0] in sys.modules
    ]
    for name in dict.fromkeys(names):
        try:
            yield registry.load(name)
        except D2LConvError:
            if name == names[0]:
                raise


def show(value: Any) -> str:
    """A value in a message: matrices as lists, whole numbers without decimals."""
    if isinstance(value, np.ndarray):
        return str(value.tolist() if value.dtype.kind != "f" else _short(value.tolist()))
    return _short(value) if isinstance(value, float) else repr(value)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_short(v) for v in value) + "]"
    return f"{value:.6g}"


def apart(one: float, other: float) -> tuple[str, str]:
    """Two different numbers, with as many digits as show that they differ."""
    for digits in range(6, 18):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts
