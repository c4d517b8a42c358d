"""One question, answered with a proof: are two results the same bits, rounding, or a bug?"""

import math
from typing import Any

import numpy as np

from d2lconv.core import checks
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.parity import causes, values
from d2lconv.parity.differences import (
    blindness,
    equal_values,
    largest_ulp,
    numbers,
    same_kind,
    share_in_words,
    shares_of,
    unseen_in,
    worst_of,
)
from d2lconv.parity.guess import Guess, Judge
from d2lconv.parity.layouts import IMAGES, Axes
from d2lconv.parity.precision import Precision
from d2lconv.parity.problem import OF, Problem, problem
from d2lconv.parity.truth import ALGORITHMS, Truth
from d2lconv.parity.values import Values
from d2lconv.parity.verdict import VERDICTS, Comparison

__all__ = ["VERDICTS", "Comparison", "compare"]

PRECISIONS = ("honest", "any", "tf32", "bfloat16", "float16")
HINT = "; if rounding may, give the X and K that the results come from, or a bound"
ACCUMULATORS = ("float16", "bfloat16", "float32", "float64")


def compare(
    actual: Any,
    expected: Any,
    *,
    X: Any = None,
    K: Any = None,
    G: Any = None,
    bias: Any = None,
    of: str = "output",
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
    layout: str | None = None,
    kernel_layout: str | None = None,
    actual_layout: str | None = None,
    expected_layout: str | None = None,
    bound: Any = None,
    algorithm: str | None = None,
    precision: str = "honest",
    accumulator: str | None = None,
) -> Comparison:
    """Compare two results, and say whether their difference is rounding or a bug.

    All numbers are compared as they are given, each in its own precision: none is rounded to
    another type first. Integers and Python's numbers have no floating type, and so none that could
    differ: they are compared by their values.

    Args:
        actual: A tensor of any framework, or an array or nested list of numbers.
        expected: What it is compared with, of the same shape. It may be of another framework and
            of another floating type; a wider one is so much closer to the true value.
        X: The images of a cross-correlation whose results the two are, and
        K: its kernels, of any ranks that :func:`d2lconv.corr2d` takes: together they give the
            bound (:func:`d2lconv.parity.bounds.corr2d`, for either result in its own type, added).
            An infinity or NaN is allowed where the additions in some order may overflow, but two
            finite results must be near each other. Results may have ones in front of their shape.
        G: The gradient at the output, where the results are gradients.
        bias: The number that was added to every element, or one for each output channel.
        of: "output", or what the results are the gradient with respect to: "weight" (of X and G),
            "input" (of K and G) or "bias" (of G).
        stride, padding, dilation, groups: As :func:`d2lconv.corr2d` takes them.
        layout: The order of axes of X and G, and of outputs and gradients with respect to X:
            "NCHW", "NHWC", "CHW", "HWC" or "HW". None is ours, by the number of axes.
        kernel_layout: That of K, and of gradients with respect to it: "OIHW", "HWIO" (the default
            where channels are last), "OHWI", "HWIM" (TensorFlow's for depthwise), and for three
            and two axes "IHW", "HWI" or "HW".
        actual_layout, expected_layout: That of one result, if it is another.
        bound: Instead of X and K, the largest difference that rounding can explain: one number,
            or an array of the results' shape (:mod:`d2lconv.parity.bounds` has several).
        algorithm: "winograd" or "fft" with X and K, if a result may come from such a fast
            algorithm, which computes more than the sum and so errs more than any order of it: its
            own bound is then allowed (:func:`d2lconv.parity.winograd.bound`, for kernels up to
            7x7 without stride and dilation, and :func:`d2lconv.parity.bounds.fft`).
        precision: "honest" arithmetic in the results' types; "any" takes whatever is within the
            bound; "tf32", "bfloat16" and "float16" allow operands rounded to that type, too.
        accumulator: The type in which the terms were added up, if it is not the results':
            "float32" for float16 results of most libraries, "bfloat16" for narrower sums.

    Returns:
        A :class:`Comparison`. Its verdict is

        - "identical" if all bits are the same;
        - "rounding" if every difference is within the bound, and each result about as near to the
          true value as honest arithmetic comes on these numbers;
        - "imprecise" if every difference is within the bound, but a result is many times further
          from the true value than the worst honest order of additions
          (:mod:`d2lconv.parity.precision`): operands rounded to TF32, say;
        - else "bug". Results of different shapes are a bug. Without X, K and bound the claim is
          that the bits are the same, so that every difference is a bug.

        Where the bound, and what honest arithmetic does, are larger than the values in more than
        half of the elements that differ, "rounding" says nothing, and the reason says so.

        Where the verdict is "bug" or "imprecise" and X and K are given, the reason says which
        result is off, and ``causes`` names the mistakes that explain all of it, if they are known
        (:mod:`d2lconv.parity.causes`). For a bug it gives the true value of the worst element, in
        exact rational arithmetic from the operands as they are given, and, if those are no numbers
        of a result's type, of the operands cast to it.

    Raises:
        ShapeError: X and K do not give results of this shape, or bound has another shape, or
            layouts and shapes contradict each other.
        ArgumentError: Only some of X, K and G are given, or both they and bound, or options
            without them, or bound is negative or NaN, or an option has no such value.
        DTypeError: An argument is complex, text, or something else that is no number.

    Source:
        Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., chapter 3.

    Example:
        >>> import numpy as np
        >>> X, K = np.float32([[0.1, 0.2, 0.3]]), np.float32([[1, 1, 1]])
        >>> compare(np.float32([[0.6]]), np.float32([[0.6000001]]), X=X, K=K).verdict
        'rounding'
        >>> compare(np.float32([[0.6]]), np.float32([[0.61]]), X=X, K=K).verdict
        'bug'
        >>> compare([2**53 + 1], [2**53]).verdict
        'bug'
        >>> X = np.float32(np.arange(16).reshape(4, 4))
        >>> SAME, same = [[45, 39], [66, 50]], [[10, 24], [51, 90]]
        >>> found = compare(SAME, same, X=X, K=np.ones((3, 3)), stride=2, padding=1)
        >>> found.cause
        "SAME's padding, ((0, 1), (0, 1))"
    """
    a, e = values.read(actual, "actual"), values.read(expected, "expected")
    options = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "layout": layout,
        "kernel_layout": kernel_layout,
        "actual": actual_layout,
        "expected": expected_layout,
    }
    checks.choice("precision", precision, PRECISIONS)
    if accumulator is not None:
        checks.choice("accumulator", accumulator, ACCUMULATORS)
    found = _problem(X, K, G, bias, of, options, bound, e.shape)
    if algorithm is not None:
        checks.choice("algorithm", algorithm, ALGORITHMS)
    if found is None:
        if algorithm is not None:
            raise ArgumentError("algorithm is given without X and K, to which its bound belongs.")
        return _without(a, e, bound)
    rounded_to = precision if precision not in ("honest", "any") else None
    truth = Truth(found, accumulator, rounded_to)
    if algorithm is not None:
        truth.check(algorithm)
    return _Comparing(truth, a, e, algorithm, precision).verdict()


def _problem(
    X: Any, K: Any, G: Any, bias: Any, of: str, options: Any, bound: Any, result: tuple[int, ...]
) -> Problem | None:
    """What the results are said to be of; it is checked even if it will not be needed."""
    checks.choice("of", of, OF)
    given = [name for name, t in (("X", X), ("K", K), ("G", G)) if t is not None]
    if bound is not None and given:
        raise ArgumentError("bound is given, and X and K too: give either bound, or X and K.")
    if given:
        return problem(X, K, G, of=of, bias=bias, result=result, **options)
    if of != "output":
        raise ArgumentError(f"of is {of!r}, but X, K and G are missing: gradients need them.")
    if bias is not None:
        raise ArgumentError("bias is given without X and K: it belongs to their cross-correlation.")
    plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    for name, value in options.items():
        if not (
            value is None or (name in plain and isinstance(value, int) and value == plain[name])
        ):
            given_name = f"{name}_layout" if name in ("actual", "expected") else name
            raise ArgumentError(
                f"{given_name} is given without X and K: it belongs to their cross-correlation."
            )
    return None


def _without(a: Values, e: Values, bound: Any) -> Comparison:
    """Compare results of which nothing is known but a bound, or not even that."""
    allowed = np.zeros(e.shape) if bound is None else _allowed(bound, e.shape)
    if a.shape != e.shape:
        return _shapes_differ(a.shape, e.shape)
    equal, difference = values.difference(a, e)
    if equal.all() and same_kind(a, e):
        return _identical(a)
    shares = shares_of(equal, difference, allowed)
    share = float(shares.max(initial=0))
    if equal.all():
        verdict = "bug" if bound is None else "rounding"
        return Comparison(False, 0, share, None, verdict, equal_values(a, e), shares=shares)
    worst = worst_of(shares, equal)
    verdict = "rounding" if share <= 1 else "bug"
    reason = numbers(a, e, worst)
    if bound is None:
        reason += f", and nothing may differ{HINT}"
    else:
        reason += share_in_words(allowed[worst], share)
    blind, words = blindness(unseen_in(a, e, allowed)[~equal])
    if verdict == "rounding":
        reason += words
    ulp = largest_ulp(a, e)
    return Comparison(False, ulp, share, worst, verdict, reason, blind, shares=shares)


class _Comparing:
    """Two results of a call that is known; in our order of axes, if they have its shape."""

    def __init__(
        self, truth: Truth, a: Values, e: Values, algorithm: str | None, precision: str
    ) -> None:
        self.truth, self.algorithm, self.precision = truth, algorithm, precision
        self.problem, self.given = truth.problem, (a, e)
        call = truth.call
        ours = self.problem.read(e, "expected")
        if ours is None or ours.shape != call.shape:
            wanted = self.problem.shape("expected")
            raise ShapeError(
                f"{truth.names} give results of shape {wanted}, but expected has the shape "
                f"{e.shape}. Give the operands that the results come from."
            )
        self.e = ours
        self.read = self.problem.read(a, "actual")
        self.fits = self.read is not None and self.read.shape == call.shape
        self.a = self.read if self.fits and self.read is not None else a
        self.types = truth.types(self.a, self.e)

    def shown(self, ours: Any) -> Any:
        """An array in our order, as expected is."""
        return np.asarray(self.problem.shown(ours, "expected")).reshape(self.given[1].shape)

    def verdict(self) -> Comparison:
        """The comparison."""
        if not self.fits:
            return self._of_other_shape()
        a, e = self.a, self.e
        equal, difference = values.difference(a, e)
        if equal.all() and same_kind(a, e):
            return _identical(self.given[1])
        each = [
            self.truth.allowed(t, dtype, self.algorithm)
            for t, dtype in zip((a, e), self.types, strict=True)
        ]
        allowed = each[0] + each[1]
        shares = shares_of(equal, difference, allowed)
        share = float(shares.max(initial=0))
        shown = self.shown(shares)
        if equal.all():
            return Comparison(False, 0, share, None, "rounding", equal_values(a, e), shares=shown)
        worst = worst_of(shares, equal)
        bug = share > 1
        known = {} if bug or self.precision == "any" else self._precisions(self.algorithm)
        imprecise = {name: p for name, p in known.items() if p is not None and p.imprecise}
        verdict = "bug" if bug else "imprecise" if imprecise else "rounding"
        place = tuple(map(int, np.argwhere(self.shown(_only(worst, shares.shape)))[0]))
        reason = numbers(a, e, worst, place) + share_in_words(allowed[worst], share)
        if bug:
            judged = {
                name: (t, dtype, float(own[worst]))
                for name, t, dtype, own in zip(NAMES, (a, e), self.types, each, strict=True)
            }
            reason += self.truth.blame(judged, worst)
        if verdict == "imprecise":
            reason += self._imprecise(imprecise)
        found: tuple[str, ...] = ()
        if verdict != "rounding":
            found, words = self._causes(each, imprecise)
            reason += words
            if not words and self.algorithm is None:
                fast, words = self._fast(equal, difference, worst, share)
                reason += words
                found = (fast,) if fast else ()
        blind, words = blindness(self._unseen(allowed, known)[~equal])
        if verdict == "rounding":
            reason += words
        ulp = largest_ulp(a, e)
        errors = {name: p.times for name, p in known.items() if p is not None}
        return Comparison(
            False, ulp, share, place, verdict, reason, blind, found, errors, shares=shown
        )

    def _precisions(self, algorithm: str | None) -> dict[str, Precision | None]:
        each = zip(NAMES, (self.a, self.e), self.types, strict=True)
        return {name: self.truth.precision(t, dtype, algorithm) for name, t, dtype in each}

    def _unseen(self, allowed: Any, known: dict[str, Precision | None]) -> Any:
        """Where zero would pass in the place of either value."""
        limits = [p.limits for p in known.values() if p is not None]
        if len(limits) == len(NAMES):
            allowed = np.minimum(allowed, self.truth.call.ours(np.add(*limits)))
        return unseen_in(self.a, self.e, allowed)

    def _imprecise(self, imprecise: dict[str, Precision]) -> str:
        said = "; ".join(f"{name} {p.words}" for name, p in imprecise.items())
        return f", which is within the worst case, but {said}"

    def _causes(
        self, each: list[Any], imprecise: dict[str, Precision]
    ) -> tuple[tuple[str, ...], str]:
        """The mistakes that explain the results that are off, and the words for them."""
        call, true = self.truth.call, self.truth.call.ours(self.truth.terms.value)
        found: tuple[str, ...] = ()
        text = ""
        for name, t, dtype, own in zip(NAMES, (self.a, self.e), self.types, each, strict=True):
            with np.errstate(all="ignore"):
                off = np.abs(t.wide() - true)
                off = np.where(np.isnan(off) & ~np.isnan(true), math.inf, np.nan_to_num(off))
                wrong = (off > own).any()
            if wrong or name in imprecise:
                with np.errstate(all="ignore"):
                    apart = _root_mean_square(off)
                    off = off / np.where(own > 0, own, math.inf)
                judge = Judge(t, dtype, off, self.truth.terms, self.truth.accumulator, apart)
                these = causes.find(judge, call)
                text += _caused(name, these)
                found += tuple(words for words in these if words not in found)
        return found, text

    @np.errstate(all="ignore")
    def _of_other_shape(self) -> Comparison:
        call, a = self.truth.call, self.given[0]
        there = self.problem.shape("actual")
        readings = {} if self.read is None else {"": self.read}
        if call.of == "output":
            for letters in IMAGES:
                if (
                    len(letters) == len(a.shape)
                    and letters != (self.problem.axes("actual") or Axes("", "")).letters
                ):
                    readings[letters] = a.map(Axes(letters, "NCHW").lift)
        found: tuple[str, ...] = ()
        for letters, read in readings.items():
            judge = Judge(read, self.types[0], accumulator=self.truth.accumulator)
            if letters and read.shape == call.shape and judge.explains(Guess(call)):
                found += (f"the right result in the layout {letters}",)
            elif not letters:
                found += causes.find(judge, call)
        text = _caused("actual", found)
        if not found and self.read is not None:
            shape = causes.of_shape(Judge(self.read, self.types[0]), call)
            if shape:
                text = f". The shape, not the numbers, is what {' or '.join(shape)} gives"
        return _shapes_differ(a.shape, there, text, found)

    def _fast(self, equal: Any, difference: Any, worst: Any, share: float) -> tuple[str, str]:
        """The fast algorithm whose bound explains all differences, and not just any, in words."""
        what = "any order of additions" if share > 1 else "any honest order of additions"
        results = (self.a, self.e)
        true = self.truth.terms.value
        with np.errstate(all="ignore"):
            usual = _root_mean_square(true)
        for algorithm, words in ALGORITHMS.items():
            if not self.truth.serves(algorithm):
                continue
            each = [
                self.truth.allowed(t, d, algorithm)
                for t, d in zip(results, self.types, strict=True)
            ]
            allowed = each[0] + each[1]
            near = self._precisions(algorithm)
            unseen = allowed >= usual  # the bound is that of a transform: of all values together
            told = unseen[~equal].mean() <= 1 / 2
            explained = told and shares_of(equal, difference, allowed).max() <= 1
            if not explained or any(p is not None and p.imprecise for p in near.values()):
                continue
            return words, (
                f". This is beyond {what}, but {words} would explain it (bound "
                f'{allowed[worst]:.3g}): algorithm="{algorithm}" accepts that'
            )
        return "", ""


NAMES = ("actual", "expected")


def _root_mean_square(a: Any) -> float:
    """Of the finite numbers; infinite if there are none."""
    finite = a[np.isfinite(a)]
    return math.sqrt(np.square(finite).mean()) if finite.size else math.inf


def _caused(name: str, found: tuple[str, ...]) -> str:
    return f". {name} is what {', or '.join(found)} gives" if found else ""


def _only(place: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    marked = np.zeros(shape, bool)
    marked[place] = True
    return marked


def _identical(a: Values) -> Comparison:
    reason = f"all {a.floats.size:,} elements have the same bits"
    return Comparison(True, 0, 0.0, None, "identical", reason, shares=np.zeros(a.shape))


def _shapes_differ(
    a: tuple[int, ...], e: tuple[int, ...], text: str = "", found: tuple[str, ...] = ()
) -> Comparison:
    reason = f"the shapes differ: {a} is not {e}{text}"
    return Comparison(False, None, math.inf, None, "bug", reason, causes=found)


def _allowed(bound: Any, shape: tuple[int, ...]) -> Any:
    allowed = values.read(bound, "bound").wide()
    if allowed.size == 1:
        allowed = np.full(shape, allowed.reshape(()))
    if allowed.shape != shape:
        raise ShapeError(
            f"bound has the shape {allowed.shape}; it must be one number, or of the shape of "
            f"expected, {shape}."
        )
    if not (allowed >= 0).all():
        raise ArgumentError("bound has a negative element or NaN; all must be at least 0.")
    return allowed
