"""Where two results differ, by how much of what is allowed, and the words for it."""

import math
from typing import Any

import numpy as np

from d2lconv.parity.ulp import ulp_distance
from d2lconv.parity.values import Values
from d2lconv.parity.verdict import times


def worst_of(shares: Any, equal: Any) -> tuple[int, ...]:
    """Where the share is largest; where all are 0, the bound is infinite where values differ."""
    place = int(shares.argmax() if shares.max() > 0 else np.argmin(equal))
    return tuple(map(int, np.unravel_index(place, shares.shape)))


def numbers(a: Values, e: Values, worst: tuple[int, ...], place: Any = None) -> str:
    """The two numbers of one element, in words; ``place`` is where their user sees it."""
    return f"at {worst if place is None else place}, {' is not '.join(_shown(a, e, worst))}"


def share_in_words(allowed: float, share: float) -> str:
    """How much of what is allowed a difference is, in words."""
    if math.isinf(allowed):
        return "; the bound is infinite there, so that nothing can be told"
    if math.isinf(share):
        return "; no rounding explains that"
    return f"; rounding explains {allowed:.3g}, and this is {times(share)} that"


def blindness(unseen: Any) -> tuple[float, str]:
    """The share of the elements where nothing can be told, and the words if it is most of them."""
    blind = float(unseen.mean())
    if blind <= 1 / 2:
        return blind, ""
    return blind, (
        f"; the bound is larger than the values in {unseen.sum():,} of the {unseen.size:,} "
        "elements that differ: nothing can be told there"
    )


def same_kind(a: Values, e: Values) -> bool:
    """Whether equal values are the same bits too: the type, if both have one, and zeros' signs."""
    signs = (np.signbit(a.floats) == np.signbit(e.floats)) | np.isnan(a.floats)
    return (a.dtype == e.dtype or None in (a.dtype, e.dtype)) and bool(signs.all())


def equal_values(a: Values, e: Values) -> str:
    """In which way equal values differ."""
    if a.dtype == e.dtype or None in (a.dtype, e.dtype):
        return "the values are equal, only the signs of zeros differ"
    return f"the values are equal, only the types differ: {a.dtype} is not {e.dtype}"


def shares_of(equal: Any, difference: Any, allowed: Any) -> Any:
    """Each difference as a share of what is allowed there."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        shares = np.where(np.isinf(allowed), 0.0, difference / np.where(equal, 1, allowed))
    return np.where(equal, 0.0, shares)


def unseen_in(a: Values, e: Values, allowed: Any) -> Any:
    """Where zero in the place of either value would be within the bound of the other."""
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(a.wide()), np.abs(e.wide()))
        return np.isinf(allowed) | (allowed >= size)


def _shown(a: Values, e: Values, place: tuple[int, ...]) -> list[str]:
    """The two numbers of one element, with so many digits that they differ."""
    if a.exact is not None or e.exact is not None:
        return [str(t.number(place)) for t in (a, e)]
    texts = [str(t.floats[place]) for t in (a, e)]
    return texts if texts[0] != texts[1] else [repr(float(t.floats[place])) for t in (a, e)]


def largest_ulp(a: Values, e: Values) -> int:
    """The largest distance in ulp of the coarser type; Python's numbers have float64's."""
    types = [t.dtype for t in (a, e) if t.dtype is not None] or ["float64"]
    coarser = min(types, key=lambda dtype: np.dtype(dtype).itemsize)
    with np.errstate(over="ignore", under="ignore"):
        one, other = (t.floats.astype(coarser) for t in (a, e))
    return int(ulp_distance(one, other).max())
