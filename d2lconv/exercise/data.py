"""Exercises that are data: for numbers, with the slips that people make, and for words."""

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from d2lconv.exercise.answers import array, call, show
from d2lconv.exercise.model import Exercise, Wrong

ERROR = 2.0**-20  # how much of an element a few operations in float32 may have rounded away
MOST = 0.25  # which is never as much as one, for who counts


@dataclass(frozen=True)
class Numbers:
    """What an exercise asks for if its answer is a number or an array of numbers.

    Attributes:
        form: What an answer is, in words.
        expected: The answer.
        right: What is said of it.
        slips: Answers that are wrong for a reason, each with the reason.
        samples: If a function is asked for, the arguments that it is tried with, each with a name;
            the answer is then what it gives for these.
    """

    form: str
    expected: Any
    right: str
    slips: tuple[tuple[Any, str], ...] = ()
    samples: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def check(self, answer: Any) -> str:
        """Check an answer; every message is said word for word by the page, too."""
        if callable(answer) and self.samples:
            answer = [call(answer, given) for _, given in self.samples]
        expected = np.array(self.expected, np.float64)
        with np.errstate(over="ignore"):  # what float32 cannot hold is said to be none
            found = array(answer, self.form, expected.ndim).astype(np.float32).astype(np.float64)
        if found.size == 0 or not np.isfinite(found).all():
            raise Wrong(f"The answer should be {self.form}, of finite numbers.")
        for slip, reason in self.slips:
            if _same(found, np.array(slip, np.float64)):
                raise Wrong(reason, found=found, expected=expected)
        if found.shape != expected.shape:
            raise Wrong(f"The answer should be {self.form}, and has the shape {found.shape}.")
        if _same(found, expected):
            return self.right
        off = np.abs(found - expected) > _bound(expected)
        place = tuple(int(n) for n in np.argwhere(off)[0])
        value = show(float(found[place]))
        if self.samples:
            where = f"For {self.samples[place[0]][0]} it is not {value}."
        elif place:
            at = place[0] if len(place) == 1 else place
            where = f"The element {at} is not {value}."
        else:
            where = f"It is not {value}."
        raise Wrong(where, found=found, expected=expected)

    @property
    def page(self) -> dict[str, Any]:
        """What a page needs to check an answer."""
        return {
            "form": self.form,
            "expected": self.expected,
            "right": self.right,
            "slips": [list(slip) for slip in self.slips],
            "labels": [label for label, _ in self.samples],
        }


def numbers(section: str, number: int, *texts: str, code: str, asks: Numbers) -> Exercise:
    """An exercise for numbers: title, statement, hint and explanation, and a solution."""
    title, statement, hint, explanation = texts
    return Exercise(
        *(f"{section}-{number}", title, statement, hint, explanation, code, asks.check),
        section=section,
        page=asks.page,
    )


def words(section: str, number: int, *texts: str, points: tuple[str, ...]) -> Exercise:
    """An exercise for words: title, statement, hint and a model answer, and what it should say."""
    title, statement, hint, model = texts
    return Exercise(
        *(f"{section}-{number}", title, statement, hint, model),
        f'answer = """\n{fill(model, 90)}\n"""',
        _unjudged(points),
        section=section,
        points=points,
        page={"points": list(points), "model": model},
    )


def _unjudged(points: tuple[str, ...]) -> Callable[[Any], str]:
    def checker(answer: Any) -> str:
        if not isinstance(answer, str) or not answer.strip():
            raise Wrong("The answer should be a text.")
        said = " ".join(f"({n}) {point}" for n, point in enumerate(points, 1))
        return f"Does your text say this? {said}"

    return checker


def _same(one: Any, other: Any) -> bool:
    """Whether two arrays are equal, up to the rounding of a few operations."""
    if one.shape != other.shape:
        return False
    return bool(np.abs(one - other).max() <= _bound(other))


def _bound(values: Any) -> float:
    return min(ERROR * float(np.abs(values).max()), MOST)
