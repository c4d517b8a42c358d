"""What an exercise is, and what checking an answer gives."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import dedent, fill, indent
from typing import Any

from d2lconv import registry, selection


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
        right: Whether the answer is right.
        message: Why, in words.
        counterexample: What shows that the answer is wrong, by name, such as the image ``X``, what
            the answer makes of it (``found``), and what it should (``expected``). None if the
            answer is right or could not be tried.
    """

    exercise: str
    right: bool
    message: str
    counterexample: Mapping[str, Any] | None

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Exercise:
    """One of the section's exercises, or a part of one.

    Attributes:
        id: Its name, such as "2a".
        title: A few words.
        statement: What is asked, and what an answer is.
        hint: A push in the right direction.
        explanation: Why the solution is right.
        code: The solution as Python, for the API bound to a backend under the name ``d2l``.
        checker: Takes an answer and gives a sentence, or raises :class:`Wrong`.
        shows: The function of the backend's ``ops`` whose code belongs to the solution, if any.
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
            source = inspect.getsource(getattr(registry.load(name).ops, self.shows))
            parts.append(
                f"# What it does in {framework}:\n" + indent(source, "# ", lambda line: True)
            )
        return "\n\n".join(part.rstrip() for part in parts if part) + "\n"
