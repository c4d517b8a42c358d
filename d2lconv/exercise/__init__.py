"""The section's exercises: statements, hints, solutions, and a checker for each."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from d2lconv.errors import ArgumentError
from d2lconv.exercise import diagonals, gradients, handmade, matrices
from d2lconv.exercise.model import Exercise, Verdict, Wrong

__all__ = ["Exercise", "Verdict", "check", "exercises", "find"]

exercises: Mapping[str, Exercise] = MappingProxyType(
    {
        exercise.id: exercise
        for module in (diagonals, handmade, gradients, matrices)
        for exercise in module.EXERCISES
    }
)


def find(name: Any) -> Exercise:
    """The exercise of that name, such as "2a"; also "2(a)", "2.a" or the number 3."""
    key = "".join(c for c in str(name).lower().removeprefix("exercise") if c.isalnum())
    if key in exercises:
        return exercises[key]
    close = get_close_matches(key, exercises, n=1, cutoff=0.5)
    raise ArgumentError(
        f"there is no exercise {name!r}"
        + (f"; did you mean {close[0]!r}?" if close else ".")
        + f" The exercises are {', '.join(exercises)}."
    )


def check(exercise: str, answer: Any) -> Verdict:
    """Check an answer to one of the section's exercises.

    Any right answer is accepted, not only ours, from whichever framework it comes: lists, NumPy
    arrays, native tensors, or a function where the exercise asks for one. The statement,
    ``dc.exercises[exercise].statement``, says what an answer is.

    Args:
        exercise: The exercise's name, one of ``dc.exercises``: "1a" to "1d", "2a" to "2d", "3",
            "4a" or "4b".
        answer: The answer.

    Returns:
        A :class:`Verdict`, which is true if the answer is right. If not, its message has the
        smallest counter-example that was found.

    Raises:
        ArgumentError: There is no such exercise.
        BackendNotInstalled: The answer is about a framework that is not there.

    Source:
        Dive into Deep Learning, section 7.2.8.

    Example:
        >>> import d2lconv as dc
        >>> bool(dc.check("2b", [[1, -2, 1]]))
        True
        >>> print(dc.check("2d", lambda d: d))
        Wrong. For d = 1 you say 1, but the smallest kernel has 2 elements: the smaller ones that \
answer 0 to all polynomials of lower degree answer 0 to those of degree 1 too.
    """
    wanted = find(exercise)
    try:
        return Verdict(wanted.id, True, f"Right. {wanted.checker(answer)}", None)
    except Wrong as wrong:
        return Verdict(wanted.id, False, f"Wrong. {wrong}", wrong.counterexample)
