"""What the steps of all rows are made of."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from d2lconv.parity.call import given
from d2lconv.parity.guess import Guess

Change = Callable[[Guess], Guess]
Step = tuple[str, Change]
Steps = Callable[[Guess, Any], Iterator[Step]]


def _on(operand: str, shape: str, function: Callable[[Any], Any]) -> Change:
    """A step that changes an operand of the call, and its shape."""

    def step(guess: Guess) -> Guess:
        changed = getattr(guess.call, operand).map(function)
        return guess.with_call(**{operand: changed, shape: changed.shape})

    return step


on_kernel = partial(_on, "K", "kernel")

on_image = partial(_on, "X", "image")


def on_gradient(function: Callable[[Any], Any]) -> Change:
    """A step that changes the gradient at the output."""
    return lambda guess: guess.with_call(G=given(guess.call.G).map(function))


# What a mistake may be about: the operand, the result that it may be instead, and its step.
OBJECTS: dict[str, tuple[str, str, Any]] = {
    "images": ("X", "input", on_image),
    "kernels": ("K", "weight", on_kernel),
    "outputs": ("G", "output", on_gradient),
}


def changing(
    guess: Guess, what: str, words: str, change: Callable[[Any], Any], back: Any = None
) -> Iterator[Step]:
    """A mistake about images, kernels or outputs, in an operand or in the result.

    Args:
        guess: The right guess.
        what: A key of :data:`OBJECTS`.
        words: What it is called.
        change: What is done to them by mistake.
        back: What undoes that; None if it undoes itself.
    """
    operand, result, step = OBJECTS[what]
    if guess.call.of == result:
        yield words, afterwards(back or change)
    elif getattr(guess.call, operand) is not None:
        yield words, step(change)


def calling(**changes: Any) -> Change:
    """A step that changes options of the call."""
    return lambda guess: guess.with_call(**changes)


def afterwards(function: Callable[[Any], Any]) -> Change:
    """A step whose effect on the result the function takes back."""
    return lambda guess: replace(guess, undo=(*guess.undo, function))


def taking(order: Any, axis: int = 1) -> Callable[[Any], Any]:
    """An array's elements in this order."""
    return lambda a: a.take(order, axis)
