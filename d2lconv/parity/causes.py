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
TELLING = 4  # numbers other than zero: fewer are what some pair of mistakes gives by chance
PAIRED_WITHIN = 250_000  # numbers in X and K together; beyond, pairs would take too long,
RARELY_WITHIN = 25_000  # and beyond this those with a mistake that is not frequent.


@dataclass(frozen=True)
class Row:
    """One cause.

    Attributes:
        name: What it is called in tests.
        steps: Takes the right guess and the result, and gives the steps.
        of: What results may be, of "output", "weight", "input" and "bias".
        frequent: Whether it is tried in pairs of large layers, too.
        last: Whether it is tried only if nothing else explains the result, and in no pair.
        fits: Whether the steps have numbers that fit the result best. Where another mistake comes
            before, they are fitted to what that leaves.
        rearranges: Whether an operand's elements are elsewhere. Two such mistakes are tried in both
            orders, which differ; all others in the table's order alone.
    """

    name: str
    steps: Steps
    of: tuple[str, ...] = ("output",)
    frequent: bool = True
    last: bool = False
    fits: bool = False
    rearranges: bool = False


ALL = ("output", "weight", "input", "bias")
GRADIENTS = ("output", "weight", "input")


@np.errstate(all="ignore")
def find(judge: Judge, right: Call) -> tuple[str, ...]:
    """The mistakes that explain a result, in words; empty if none is known."""
    guess = Guess(right)
    rows = [row for row in ROWS if right.of in row.of]
    steps: list[tuple[Row, str, Change]] = []
    found: list[str] = []
    for row in rows:
        if row.last and found:
            continue
        for words, step in row.steps(guess, judge.result):
            steps.append((row, words, step))
            if words not in found and _explained(judge, step, guess):
                found.append(words)
    size = sum(t.floats.size for t in (right.X, right.K, right.G) if t is not None)
    telling, few = np.count_nonzero(judge.result) >= TELLING, size <= RARELY_WITHIN
    turned = [step for step in steps[::-1] if step[0].rearranges]
    for some, frequent, most, fit in (
        (steps, 2, PAIRED_WITHIN, few),
        (steps, 1, RARELY_WITHIN, True),
        (steps, 0, RARELY_WITHIN, True),
        (turned, 2, PAIRED_WITHIN, False),
    ):
        if telling and not found and size <= most:
            found += itertools.islice(_pairs(judge, some, guess, frequent, fit), MOST)
    return tuple(found[:MOST])


def _pairs(
    judge: Judge, steps: list[tuple[Row, str, Change]], guess: Guess, frequent: int, fit: bool
) -> Iterator[str]:
    """Two mistakes of which so many are frequent, and which explain a result together."""
    steps = [one for one in steps if not one[0].last]
    for place, (first, a, one) in enumerate(steps):
        changed, others = one(guess), steps[place + 1 :]
        if fit:
            others = [*others, *_fitted(judge, first, changed, frequent)]
        for second, b, other in others:
            if first is second or first.frequent + second.frequent != frequent:
                continue
            if _explained(judge, other, changed):
                yield f"{a} together with {b}"


def _fitted(
    judge: Judge, first: Row, changed: Guess, frequent: int
) -> Iterator[tuple[Row, str, Change]]:
    """What fits a result best that has another mistake in it."""
    for row in ROWS:
        fits = row.fits and row is not first and changed.call.of in row.of
        if fits and first.frequent + row.frequent == frequent:
            try:
                yield from ((row, *step) for step in row.steps(changed, judge.result))
            except (ValueError, IndexError):  # the mistake leaves no shape that fits
                continue


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
    Row("kernel flipped", operands.flipped, GRADIENTS, rearranges=True),
    Row("height and width exchanged", operands.transposed, GRADIENTS, rearranges=True),
    Row("in and out exchanged", operands.in_and_out, GRADIENTS, rearranges=True),
    Row("order of channels", operands.channel_orders, ALL, rearranges=True),
    Row("order of groups", operands.groups_order, GRADIENTS, rearranges=True),
    Row("groups ignored", operands.groups_ignored),
    Row("padding", windows.padding, GRADIENTS),
    Row("values of padding", windows.padding_values, ("output", "weight")),
    Row("shifted", windows.shifted, GRADIENTS, frequent=False),
    Row("stride", windows.strides, GRADIENTS),
    Row("dilation", windows.dilation, GRADIENTS),
    Row("layout of the result", axes.layout_of_result, GRADIENTS, frequent=False),
    Row("reshaped", axes.reshaped, ALL, rearranges=True),
    Row("bias", numbers.bias),
    Row("bias of other channels", numbers.other_bias, fits=True),
    Row("relu", numbers.relu),
    Row("scaled", numbers.scaled, ALL),
    Row("operands rounded", numbers.rounded, ALL, frequent=False),
    Row("sums rounded", numbers.summed, ALL, frequent=False),
    Row("any order of channels", operands.any_order, frequent=False, last=True),
    Row("any order of groups", operands.any_groups, frequent=False, last=True),
    Row("some factor", numbers.some_factor, ALL, frequent=False, last=True, fits=True),
    Row("some bias", numbers.some_bias, frequent=False, last=True, fits=True),
)
