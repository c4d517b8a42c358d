"""A guess at what was computed instead, and whether it explains all of a result."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.parity.bounds import of_terms
from d2lconv.parity.bounds.roundoff import gamma, unit_roundoff
from d2lconv.parity.call import Call
from d2lconv.parity.precision import BITS, measure, narrowed
from d2lconv.parity.terms import Terms
from d2lconv.parity.values import Values

Array = NDArray[np.float64]
SCREENED = 24  # elements that a guess is tried on before all are


@dataclass(frozen=True)
class Guess:
    """What may have been computed instead: a call, and what happened to its results.

    Attributes:
        call: The call.
        scale: What the results were multiplied by.
        relu: Whether negative results became 0.
        undo: Functions, the last one first, that take a result to the call's own order: from one
            that was reshaped or rolled afterwards to one that was not.
        accumulator: The type of the sums, if it is not the results'.
    """

    call: Call
    scale: float = 1.0
    relu: bool = False
    undo: tuple[Callable[[Any], Any], ...] = ()
    accumulator: str | None = None

    def with_call(self, **changes: Any) -> "Guess":
        """The same with another call."""
        return replace(self, call=replace(self.call, **changes))

    def undone(self, result: Array) -> Array | None:
        """The result in the call's own order, or None if it has another shape."""
        try:
            for function in reversed(self.undo):
                result = function(result)
        except ValueError:  # it cannot be reshaped so
            return None
        return result if self.call.possible and result.shape == self.call.shape else None


class Judge:
    """Whether guesses explain a result.

    Args:
        result: The result, in our order.
        dtype: Its type.
        off: How far each element is from what it should be, of the result's shape, or None.
        right: What it should be the result of.
        accumulator: The type of the sums, if it is not the result's.
        apart: The root mean square of the result's distance from what it should be.
    """

    def __init__(
        self,
        result: Values,
        dtype: str,
        off: Any = None,
        right: Any = None,
        accumulator: str | None = None,
        apart: float = math.inf,
    ) -> None:
        self.apart = apart
        self.result, self.dtype, self.accumulator = result.wide(), dtype, accumulator
        self.coarsest = max((dtype, accumulator or dtype), key=unit_roundoff)
        self.exact = bool(result.held_by(dtype).all())
        self.times = math.inf  # u*S, beyond which honest arithmetic does not stray
        if right is not None and (
            near := measure(right, np.array(right.value), dtype, accumulator=accumulator)
        ):
            with np.errstate(all="ignore"):
                limits = near.limits / (unit_roundoff(dtype) * right.size)
            self.times = 8 * float(limits[np.isfinite(limits)].max(initial=0.0)) or math.inf
        rng = np.random.default_rng(0)
        size = self.result.size
        drawn = rng.choice(size, min(size, SCREENED), replace=False)
        worst: Any = (
            [] if off is None else np.argsort(np.nan_to_num(off.ravel(), posinf=1e308))[-8:]
        )
        self.screen = np.concatenate([drawn, np.asarray(worst, int)]).astype(int)
        self._known: dict[Any, Any] = {}  # where guesses have the last of these elements

    def explains(self, guess: Guess) -> bool:
        """Whether the guess explains every element, as honest arithmetic on it would."""
        found = guess.undone(self.result)
        if found is None:
            return False
        tried = guess.call.terms(), guess, guess.call.theirs(found)
        return self._on_one(*tried) and self._on_some(*tried) and self._on_all(*tried)

    def _on_one(self, terms: Terms, guess: Guess, result: Array) -> bool:
        """On the element that is furthest off: of thousands of guesses nearly all fail there."""
        key = guess.undo, terms.geometry
        if key not in self._known:
            there = self._moved(guess, self.screen[-1:])
            where = int(there[0]) if len(there) else 0  # the guess may have no such element
            place = tuple(map(int, np.unravel_index(where, terms.shape)))
            self._known[key] = where, place[1], *terms.window(place)
        where, o, of_A, of_B = self._known[key]
        x, k = (t.astype(np.float64) for t in (terms.A.floats[of_A], terms.B.floats[of_B]))
        return self._near(terms, guess, result.take(where), (x * k).ravel(), terms.offset.take(o))

    def _on_some(self, terms: Terms, guess: Guess, result: Array) -> bool:
        """On a few elements."""
        where = self._moved(guess, self.screen)
        x, k, offset = terms.gather(np.stack(np.unravel_index(where, terms.shape), axis=1))
        return self._near(terms, guess, result.take(where), x * k, offset)

    def _moved(self, guess: Guess, screen: Any) -> Any:
        """Where the guess has these elements of the result, in its terms."""
        index = guess.undone(np.arange(self.result.size).reshape(self.result.shape))
        return np.flatnonzero(np.isin(guess.call.theirs(index).ravel(), screen))

    def _near(self, terms: Terms, guess: Guess, result: Any, products: Any, offset: Any) -> bool:
        """Whether results are within the bound of their sums of products."""
        value = products.sum(-1) + offset
        size = np.abs(products).sum(-1) + np.abs(offset)
        off = np.abs(self._straight(result, value, guess) - value)
        work = guess.accumulator or self.coarsest
        roundings = min(2 * gamma(terms.count + 3, work), self.times * unit_roundoff(work))
        near = (off <= roundings * size + 1e-30 * (size > 0)) | ~np.isfinite(size)
        return bool(near.all())

    def _on_all(self, terms: Terms, guess: Guess, result: Array) -> bool:
        """On all elements: within the bound, and as near as honest arithmetic comes."""
        straight = self._straight(result, terms.value, guess)
        accumulator = guess.accumulator or self.accumulator
        parts = of_terms(terms, self.dtype, accumulator)
        allowed = parts.of(straight)
        once = (guess.scale != 1) + (not self.exact)
        allowed = allowed + gamma(once, self.dtype) * np.abs(straight) * (1 + 1e-9)
        same = (straight == terms.value) | (np.isnan(straight) & np.isnan(terms.value))
        if not (same | (np.abs(straight - terms.value) <= allowed)).all():
            return False
        if guess.accumulator is not None:
            if not self._summed_in(guess.accumulator, result, terms):
                return False
        elif not self._nearer(guess.scale * (straight - terms.value)):
            return False
        found = measure(terms, straight, self.dtype, accumulator=accumulator)
        if found is not None:
            return not found.imprecise
        size = np.abs(terms.value)
        return bool((allowed < size)[size > 0].mean() > 1 / 2) if (size > 0).any() else True

    def _nearer(self, off: Array) -> bool:
        """Whether a result is much nearer to the guess than to what is right.

        Numbers that are fitted to a result come a little nearer to any error.
        """
        there = off[np.isfinite(off)]
        return not there.size or 2 * math.sqrt(np.square(there).mean()) <= self.apart

    def _straight(self, result: Array, value: Array, guess: Guess) -> Array:
        """The result without what happened to it afterwards."""
        straight: Array = result / guess.scale
        if guess.relu:
            return np.where((value <= 0) & (result == 0), value, straight)
        return straight

    def _summed_in(self, narrow: str, result: Array, terms: Terms) -> bool:
        """Whether the sums are of that type, and their error is as large as its roundings.

        A bias may have been added to them in the result's own type.
        """
        sums = _narrow(result - terms.offset, narrow)
        of_it = (_narrow(result, narrow) == result).all() or (
            self.dtype in ("float32", "float64")
            and terms.offset.any()
            and ((sums + terms.offset).astype(self.dtype) == result).all()
        )
        typical = float(np.sqrt(np.square(result - terms.value).mean()))
        least = unit_roundoff(narrow) * float(np.sqrt(np.square(terms.value).mean())) / 8
        return bool(of_it) and typical >= least


def _narrow(a: Array, name: str) -> Array:
    """Numbers rounded to float16 or bfloat16."""
    return (
        narrowed(a, BITS[name]) if name == "bfloat16" else a.astype(np.float16).astype(np.float64)
    )
