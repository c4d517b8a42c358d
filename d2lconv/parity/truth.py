"""What results can be held against: the bound of the call that they are of, and its true value."""

import math
from fractions import Fraction
from typing import Any

import numpy as np

from d2lconv.core import data
from d2lconv.errors import ArgumentError
from d2lconv.parity import bounds, winograd
from d2lconv.parity.bounds import fourier
from d2lconv.parity.precision import Precision, measure
from d2lconv.parity.problem import Problem
from d2lconv.parity.terms import Place, Terms, plain
from d2lconv.parity.values import Values

ALGORITHMS = {"winograd": "Winograd's algorithm", "fft": "a fast Fourier transform"}


class Truth:
    """What the results of a call are held against; all arrays are in our order of axes.

    Args:
        problem: The call.
        accumulator: The type of the sums, if it is not that of a result.
        rounded_to: A type to which the operands may have been rounded.
    """

    def __init__(
        self, problem: Problem, accumulator: str | None = None, rounded_to: str | None = None
    ) -> None:
        self.problem, self.call = problem, problem.call
        self.accumulator, self.rounded_to = accumulator, rounded_to
        self.terms = self.call.terms()
        named = {"X": self.call.X, "K": self.call.K, "G": self.call.G}
        needed = {"output": "XK", "weight": "XG", "input": "KG", "bias": "G"}[self.call.of]
        self.named = {name: t for name in needed if (t := named[name]) is not None}
        self.operands = list(self.named.values())
        if self.call.bias is not None:
            self.operands.append(self.call.bias)
        self.names = " and ".join(needed)

    def types(self, *results: Values) -> list[str]:
        """The type in which each result is judged: its own, if it has one.

        A list of Python's numbers has none. It takes the type of the other result, else that of
        the operands; else it is float32 if it holds no number that float32 does not have, and
        float64 if it does.
        """
        operands = [t.dtype for t in self.operands if t.dtype is not None]
        known = [result.dtype for result in results if result.dtype is not None] or operands
        if not known:
            held = all(result.held_by("float32").all() for result in results)
            known = ["float32" if held else "float64"]
        widest = max(known, key=data.FLOATS.index)
        return [result.dtype or widest for result in results]

    def check(self, algorithm: str) -> None:
        """Check that an algorithm is one for these sums."""
        if self.call.of != "output":
            raise ArgumentError(f"algorithm is {algorithm!r}, which is known for outputs alone.")
        if algorithm == "winograd":
            winograd.check(self.terms.geometry)

    def serves(self, algorithm: str) -> bool:
        """Whether an algorithm is one for these sums."""
        return self.call.of == "output" and (
            algorithm != "winograd" or winograd.serves(self.terms.geometry)
        )

    def allowed(self, result: Values, dtype: str, algorithm: str | None = None) -> Any:
        """How far rounding can carry this result from the true value, if it is of this type.

        Args:
            result: The result.
            dtype: Its type.
            algorithm: None for sums in any order; else one of :data:`ALGORITHMS`, besides.
        """
        parts = bounds.of_terms(self.terms, dtype, self.accumulator, self.rounded_to)
        allowed = parts.of(self.call.theirs(result.wide()))
        if algorithm == "winograd":
            other = winograd.of_terms(self.terms, dtype).of(self.call.theirs(result.wide()))
            allowed = np.maximum(allowed, other)
        if algorithm == "fft":
            allowed = np.maximum(allowed, fourier.of_terms(self.terms, dtype))
        allowed = self.call.ours(allowed)
        # A number that is none of the type was printed in decimals, say: one rounding more.
        info = np.finfo(dtype)
        printed = bounds.gamma(1, dtype) * np.abs(result.wide()) + float(info.smallest_subnormal)
        return allowed + np.where(result.held_by(dtype) | ~np.isfinite(result.wide()), 0, printed)

    def precision(
        self, result: Values, dtype: str, algorithm: str | None = None
    ) -> Precision | None:
        """How far a result strays in comparison with honest arithmetic; None if none can tell."""
        if not result.held_by(dtype).all():
            return None
        room: Any = 1.0
        if algorithm is not None:
            own = bounds.of_terms(self.terms, dtype, self.accumulator, self.rounded_to).finite
            theirs = self.call.theirs(self.allowed(result, dtype, algorithm))
            with np.errstate(all="ignore"):
                room = np.where(own > 0, theirs / own, 1.0)
        return measure(
            self.terms,
            self.call.theirs(result.wide()),
            dtype,
            accumulator=self.accumulator,
            rounded_to=self.rounded_to,
            room=room,
        )

    def window(self, place: Place) -> tuple[Any, Any]:
        """The elements of X and K (of the terms) that an output element sees."""
        return self.terms.window(self.call.place(place))

    def true(self, place: Place, dtype: str | None = None) -> Fraction | None:
        """The true value of one element: no rounding, but that of the operands to dtype, if given.

        Returns:
            None where an operand is infinite or NaN.
        """
        terms, where = self.terms, self.call.place(place)
        of_A, of_B = terms.window(where)
        A, B = terms.A.map(lambda a: a[of_A]), terms.B.map(lambda a: a[of_B])
        total: Fraction | None = Fraction(0)
        if terms.bias is not None:
            total = _cast(terms.bias.number((where[1],)), dtype)
        for at in np.ndindex(A.shape):
            x, k = _cast(A.number(at), dtype), _cast(B.number(at), dtype)
            if x is None or k is None or total is None:
                return None
            if x and k:
                total += x * k
        return total

    def _cast_bound(self, place: Place, dtype: str, summed: str) -> float:
        """The bound for one element, with the operands cast to a type and summed in another."""
        where = self.call.place(place)
        of_A, of_B = self.terms.window(where)
        with np.errstate(over="ignore", under="ignore"):
            A = self.terms.A.wide()[of_A].astype(dtype)[None]
            B = self.terms.B.wide()[of_B].astype(dtype)[None]
            bias = None
            if self.terms.bias is not None:
                bias = Values(self.terms.bias.wide()[[where[1]]].astype(dtype), dtype)
        terms = Terms(Values(A, dtype), Values(B, dtype), plain(A.shape, B.shape), bias)
        return float(bounds.of_terms(terms, summed).finite[0, 0, 0, 0])

    def blame(self, results: dict[str, tuple[Values, str, float]], place: Place) -> str:
        """Which results are further from the true value than rounding explains, in words.

        Args:
            results: By its name, each result with its type and what is allowed at that element.
            place: The element.
        """
        true = self.true(place)
        if true is None:
            return ""
        off = [
            name
            for name, (result, _, allowed) in results.items()
            if _far(result.number(place), true, allowed)
        ]
        if not off:
            return ""
        text = f". The true value is {_float(true)!r}"
        narrower = dict.fromkeys(
            dtype
            for _, dtype, _ in results.values()
            if not all(operand.held_by(dtype).all() for operand in self.operands)
        )
        for dtype in narrower:
            cast = self.true(place, dtype)
            if cast is not None:
                text += f" of {self.names} as given, {_float(cast)!r} of them as cast to {dtype}"
        text += f", so {' and '.join(off)} {'is' if len(off) == 1 else 'are'} wrong"
        for name in off:
            result, dtype, _ = results[name]
            as_cast = self._explaining_cast(result, dtype, place)
            if as_cast:
                text += f"; {name} is right for {self.names} as cast to {as_cast}"
        return text

    def _explaining_cast(self, result: Values, dtype: str, place: Place) -> str | None:
        """The narrower type to which the operands were cast before, if that explains a result.

        The sums of the operands so cast were then done in that type, if all of the result is of
        numbers of it, else in the result's own.
        """
        for narrow in reversed(data.FLOATS[: data.FLOATS.index(dtype)]):
            true = self.true(place, narrow)
            if true is None or all(operand.held_by(narrow).all() for operand in self.operands):
                continue
            summed = narrow if result.held_by(narrow).all() else dtype
            if not _far(result.number(place), true, self._cast_bound(place, narrow, summed)):
                return narrow
        return None


def _cast(number: Fraction | float, dtype: str | None) -> Fraction | None:
    if isinstance(number, float):  # an infinity or NaN
        return None
    if dtype is None:
        return number
    with np.errstate(over="ignore", under="ignore"):
        value = float(np.float64(number).astype(dtype))
    return Fraction(value) if math.isfinite(value) else None


def _far(value: Fraction | float, true: Fraction, allowed: float) -> bool:
    """Whether a result is further from the true value than what is allowed."""
    if math.isinf(allowed):
        return False
    if isinstance(value, float):  # an infinity or NaN
        return True
    return abs(value - true) > allowed


def _float(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
