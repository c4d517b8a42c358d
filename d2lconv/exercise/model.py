"""What an exercise is, and what checking an answer gives."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent, fill, indent
from typing import Any

from d2lconv.core import registry, selection


class Wrong(Exception):
    """The reason why an answer is wrong, with the data of a counter-example if there is one."""

    def __init__(self, message: str, **counterexample: Any) -> None:
        super().__init__(message)
        self.counterexample = counterexample or None


@dataclass(frozen=True)
class Verdict:
    """What checking an answer gives; true if the answer is right.

    Attributes:
        exercise: The exercise's name.
        right: Whether the answer is right; None if it is a text, which readers compare themselves.
        message: Why, in words.
        counterexample: What shows that the answer is wrong, by name, such as the image ``X``, what
            the answer makes of it (``found``), and what it should (``expected``). None if the
            answer is right or could not be tried.
    """

    exercise: str
    right: bool | None
    message: str
    counterexample: Mapping[str, Any] | None

    def __bool__(self) -> bool:
        return bool(self.right)

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Exercise:
    """One of a section's exercises, or a part of one.

    Attributes:
        id: Its name, such as "2a", or "7.3-1" with the section's number.
        title: A few words.
        statement: What is asked, and what an answer is.
        hint: A push in the right direction.
        explanation: Why the solution is right.
        code: The solution as Python, for the API bound to a backend under the name ``d2l``.
        checker: Takes an answer and gives a sentence, or raises :class:`Wrong`.
        shows: The function of the backend's ``scratch`` whose code belongs to the solution, if any.
        section: The book's section that it is of.
        points: What a text should say, if it asks for one.
        page: What a page needs to check answers, if it is data.
        live: Gives what goes before the code of the solution for a backend's name, if anything.
    """

    id: str
    title: str
    statement: str
    hint: str
    explanation: str
    code: str
    checker: Callable[[Any], str]
    shows: str | None = None
    live: Callable[[str], str] | None = None
    section: str = "7.2"
    points: tuple[str, ...] = ()
    page: Mapping[str, Any] | None = None

    def solution(self, backend: str | None = None) -> str:
        """The solution in a framework, as a Python program that defines ``answer``.

        Args:
            backend: A backend's name or alias; None is the backend in force.

        Returns:
            The program, with the explanation as a comment.
        """
        name = registry.resolve(backend or selection.current_backend())
        framework = registry.manifests()[name][0].framework
        parts = [
            fill(self.explanation, 98, initial_indent="# ", subsequent_indent="# "),
            "" if self.live is None else self.live(name),
            f"from d2lconv import {name} as d2l",
            dedent(self.code).strip(),
        ]
        if self.shows is not None:
            scratch = import_module(f"{registry.manifests()[name][1]}.scratch")
            source = inspect.getsource(getattr(scratch, self.shows))
            parts.append(
                f"# What it does in {framework}:\n" + indent(source, "# ", lambda line: True)
            )
        return "\n\n".join(part.rstrip() for part in parts if part) + "\n"
