"""How many elements of a correctly rounded result were found in which way."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from numpy.typing import NDArray


@dataclass(frozen=True)
class Counts:
    """Numbers of elements, by what settled them; those of two steps can be added.

    Attributes:
        certificate: The float64 result and its error bound.
        one_extraction: The leading parts of the terms, whose sum is exact, and a bound of the rest.
        more_extractions: The same, after leading parts were taken of the rest, again or repeatedly.
        zero_rest: Leading parts of which nothing was left, so that the sum is exact: where it is a
            tie, as it often is for images of few grey levels, this is how it is known to be one.
        integers: Integers of any length.
        not_finite: Infinities and NaNs among the operands.

    Example:
        >>> (Counts(certificate=95, zero_rest=3) + Counts(zero_rest=2)).undecided
        5
    """

    certificate: int = 0
    one_extraction: int = 0
    more_extractions: int = 0
    zero_rest: int = 0
    integers: int = 0
    not_finite: int = 0

    def __str__(self) -> str:
        """In a sentence: how many, and how those were settled that the certificate left."""
        ways = {
            "by one extraction": self.one_extraction,
            "by more extractions": self.more_extractions,
            "as exact sums": self.zero_rest,
            "in integers": self.integers,
            "as infinity or NaN": self.not_finite,
        }
        settled = ", ".join(f"{number:,} {way}" for way, number in ways.items() if number)
        decided = f"{self.total:,} elements {self.certificate:,} were decided in float64"
        return decided + (f", {self.undecided:,} settled: {settled}" if settled else "")

    @property
    def total(self) -> int:
        """All elements."""
        return sum(getattr(self, field.name) for field in fields(self))

    @property
    def undecided(self) -> int:
        """Those that the certificate left undecided."""
        return self.total - self.certificate

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self))
        )


class Settled(NamedTuple):
    """Correctly rounded values, and how they were found."""

    values: NDArray[Any]
    counts: Counts
