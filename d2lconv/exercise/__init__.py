"""The lessons' exercises: statements, hints, solutions, and a checker for each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from d2lconv.core.checks import suggestion
from d2lconv.errors import ArgumentError
from d2lconv.exercise import (
    channels,
    diagonals,
    gradients,
    handmade,
    matrices,
    networks,
    padding,
    pooling,
)
from d2lconv.exercise.model import Exercise, Verdict, Wrong

__all__ = ["Exercise", "Verdict", "check", "exercises", "find"]

MODULES = (diagonals, handmade, gradients, matrices, padding, channels, pooling, networks)

exercises: Mapping[str, Exercise] = MappingProxyType(
    {exercise.id: exercise for module in MODULES for exercise in module.EXERCISES}
)


def find(name: Any) -> Exercise:
    """The exercise of that name, such as "2a"; also "2(a)", "2.a" or the number 3."""
    key = _plain(str(name).lower().removeprefix("exercise"))
    for known, exercise in exercises.items():
        if _plain(known) == key:
            return exercise
    raise ArgumentError(
        f"there is no exercise {name!r}{suggestion(key, exercises, cutoff=0.5)} "
        f"The exercises are {', '.join(exercises)}."
    )


def _plain(name: str) -> str:
    return "".join(c for c in name if c.isalnum())


def check(exercise: str, answer: Any) -> Verdict:
    """Check an answer to one of the lessons' exercises.

    Any right answer is accepted, not only ours, from whichever framework it comes: lists, NumPy
    arrays, native tensors, or a function where the exercise asks for one. The statement,
    ``dc.exercises[exercise].statement``, says what an answer is.

    Args:
        exercise: The exercise's name, one of ``dc.exercises``: "1a" to "4b" are those of
            section 7.2; those of others have the section before them, as "7.3-1" has.
        answer: The answer.

    Returns:
        A :class:`Verdict`, which is true if the answer is right. If not, its message has the
        smallest counter-example that was found. Where a text is asked for, nothing is judged: the
        message has the points that a good one makes.

    Raises:
        ArgumentError: There is no such exercise.
        BackendNotInstalled: The answer is about a framework that is not there.

    Source:
        Dive into Deep Learning, sections 7.2.8, 7.3.4, 7.4.5, 7.5.4 and 7.6.4.

    Example:
        >>> import d2lconv as dc
        >>> bool(dc.check("2b", [[1, -2, 1]]))
        True
        >>> print(dc.check("2d", lambda d: d))
        Wrong. For d = 1 you say 1, which is not enough: so few elements, if they ignore all \
polynomials of a degree below 1, are all 0.
    """
    wanted = find(exercise)
    try:
        said = wanted.checker(answer)
        if wanted.points:
            return Verdict(wanted.id, None, f"Compare. {said}", None)
        return Verdict(wanted.id, True, f"Right. {said}", None)
    except Wrong as wrong:
        return Verdict(wanted.id, False, f"Wrong. {wrong}", wrong.counterexample)
