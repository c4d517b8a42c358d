"""What a comparison finds, and the words for it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from d2lconv.core.shown import Shown

VERDICTS = ("identical", "rounding", "imprecise", "bug")  # from the best to the worst


@dataclass(frozen=True)
class Comparison(Shown):
    """What comparing two results gives; ``print`` it for a sentence, ``plot()`` it for a map.

    Attributes:
        identical: Whether type, shape and all bits are the same (a NaN is a NaN).
        ulp: The largest distance of two elements in ulp of the coarser of the two types: 0 if the
            values are equal, 2**64 - 1 if one is NaN and the other is not. None if the shapes
            differ.
        share: The largest share of the bound that a difference uses. Up to 1 it may be rounding;
            infinite where nothing may differ and something does.
        worst: The index of the element with the largest share; None if the values are all equal.
        verdict: "identical", "rounding", "imprecise" or "bug".
        blind: Of the elements whose values differ, the share in which the bound is at least as
            large as both values, so that nothing can be told: zero would be rounding there, too.
        reason: Why, with the worst element's values, in words.
        causes: The mistakes that explain all of a result that is off, in words: "actual is what ...
            gives". Several explain it equally well.
        errors: How far each result, "actual" and "expected", is from the true value, as a multiple
            of the worst honest order of additions, where that can be told.
        shares: The share for each element, or None if the shapes differ.
    """

    identical: bool
    ulp: int | None
    share: float
    worst: tuple[int, ...] | None
    verdict: str
    reason: str
    blind: float = 0.0
    causes: tuple[str, ...] = ()
    errors: Mapping[str, float] = field(default_factory=dict)
    shares: Any = field(default=None, repr=False, compare=False)

    @property
    def cause(self) -> str | None:
        """The mistake that explains it; None if none is known."""
        return self.causes[0] if self.causes else None

    def __repr__(self) -> str:
        parts = [repr(self.verdict)]
        if self.ulp:
            parts.append(f"{self.ulp:,} ulp")
        if self.worst is not None:
            share = f"{times(self.share)} the bound" if math.isfinite(self.share) else "worst"
            parts.append(f"{share} at {self.worst}")
        return f"Comparison({', '.join(parts)})"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


def times(share: float) -> str:
    """A share of the bound, in words."""
    if math.isinf(share):
        return "infinitely often"
    plain = f"{share:.2g}" if share < 100 else f"{share:,.0f}" if share < 1e9 else f"{share:.1e}"
    return f"{plain} times"
