"""What went wrong: one table of the mistakes that people make, one row a cause.

A row lists steps, each with the words that end the sentence "actual is what ... gives", and a
function from a guess (:class:`~d2lconv.parity.guess.Guess`) to the guess with this mistake in it;
:mod:`d2lconv.parity.mistakes` has them. A mistake is named only if it explains *every* element of a
result: each is as near to the mistake's own true value as honest arithmetic comes. If no mistake
does it alone, pairs are tried. All that explain it are named.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from d2lconv.parity.call import Call
from d2lconv.parity.guess import Guess, Judge
from d2lconv.parity.mistakes import axes, numbers, operands, windows
from d2lconv.parity.mistakes.steps import Change, Steps

MOST = 4  # causes that are named
PAIRED_WITHIN = 250_000  # numbers in X and K together; beyond, pairs would take too long,
RARELY_WITHIN = 25_000  # and beyond this those with a mistake that is not frequent


@dataclass(frozen=True)
class Row:
    """One cause.

    Attributes:
        name: What it is called in tests.
        steps: Takes the right guess and the result, and gives the steps.
        of: What results may be, of "output", "weight", "input" and "bias".
        frequent: Whether it is tried in all pairs; else with a frequent one, where that is quick.
        last: Whether it is tried only if nothing else explains the result, and in no pair.
    """

    name: str
    steps: Steps
    of: tuple[str, ...] = ("output",)
    frequent: bool = True
    last: bool = False


ALL = ("output", "weight", "input", "bias")
WITH_K = ("output", "input")


@np.errstate(all="ignore")
def find(judge: Judge, right: Call) -> tuple[str, ...]:
    """The mistakes that explain a result, in words; empty if none is known."""
    guess = Guess(right)
    steps = [
        (row, words, step)
        for row in ROWS
        if right.of in row.of
        for words, step in row.steps(guess, judge.result)
    ]
    found: list[str] = []
    for row, words, step in steps:
        if not (words in found or (found and row.last)) and _explained(judge, step, guess):
            found.append(words)
    size = sum(t.floats.size for t in (right.X, right.K, right.G) if t is not None)
    for frequent, most in ((2, PAIRED_WITHIN), (1, RARELY_WITHIN)):
        if not found and size <= most:
            pairs = _pairs(judge, [one for one in steps if not one[0].last], guess, frequent)
            found += itertools.islice(pairs, MOST)
    return tuple(found[:MOST])


def _pairs(
    judge: Judge, steps: list[tuple[Row, str, Change]], guess: Guess, frequent: int
) -> Iterator[str]:
    """Two mistakes of which so many are frequent, and which explain a result together."""
    for place, (first, a, one) in enumerate(steps):
        changed = one(guess)
        for second, b, other in steps[place + 1 :]:
            if first is second or first.frequent + second.frequent != frequent:
                continue
            if _explained(judge, other, changed):
                yield f"{a} together with {b}"


def of_shape(judge: Judge, right: Call) -> tuple[str, ...]:
    """The mistakes that would at least give the result's shape."""
    guess = Guess(right)
    found: dict[str, str] = {}  # the first of each row
    for row in ROWS:
        if right.of in row.of:
            for words, step in row.steps(guess, judge.result):
                changed = step(guess)
                if changed.call.possible and changed.call.shape == judge.result.shape:
                    found.setdefault(row.name, words)
    return tuple(found.values())[:MOST]


def _explained(judge: Judge, step: Change, guess: Guess) -> bool:
    try:
        return judge.explains(step(guess))
    except (ValueError, IndexError):  # two mistakes may leave no shape that fits
        return False


ROWS = (
    Row("kernel flipped", operands.flipped, ("output", "weight", "input")),
    Row("height and width exchanged", operands.transposed, ("output", "weight", "input")),
    Row("in and out exchanged", operands.in_and_out, WITH_K),
    Row("order of channels", operands.channel_orders, ("output", "weight", "input")),
    Row("order of groups", operands.groups_order, ("output", "weight", "input")),
    Row("groups ignored", operands.groups_ignored),
    Row("padding", windows.padding, ("output", "weight", "input")),
    Row("shifted", windows.shifted, ("output", "weight", "input"), frequent=False),
    Row("stride", windows.strides, ("output",)),
    Row("dilation", windows.dilation, ("output",)),
    Row("layout of the result", axes.layout_of_result, ("output", "input"), frequent=False),
    Row("reshaped", axes.reshaped, WITH_K),
    Row("bias", numbers.bias),
    Row("relu", numbers.relu),
    Row("scaled", numbers.scaled, ALL),
    Row("operands rounded", numbers.rounded, ("output", "weight", "input"), frequent=False),
    Row("sums rounded", numbers.summed, ("output", "weight", "input"), frequent=False),
    Row("some factor", numbers.some_factor, ALL, frequent=False, last=True),
)
