"""Numbers that are no fractions, enclosed ever more closely until it is clear how they round.

An enclosure is a pair of decimal numbers with the true value between them, ends included. Sums,
products and quotients of the ends are rounded outwards. Python's ``decimal`` rounds ``exp`` and
``ln`` correctly, to nearest (*General Decimal Arithmetic Specification*, version 1.70, "exp",
"ln"), so the neighbours of what it gives enclose the true value. All values here are positive or
0, and a lower end below 0 is put to 0.

Where both ends round to the same number, so does the true value. Else the number of digits is
doubled. That ends unless the true value is where rounding jumps: a midpoint of two numbers of the
type, or the limit of overflow. All these are rational, and each caller says why its values are not.
"""

from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any

from d2lconv.rounding import integers

Enclosure = tuple[Decimal, Decimal]
FIRST = 40  # digits of the first try: 130 bits, more than twice those of float64


class Digits:
    """Arithmetic on enclosures, in decimal numbers of so many digits.

    Example:
        >>> low, high = Digits(5).exp(Decimal(1))
        >>> print(low, high)
        2.7182 2.7184
    """

    def __init__(self, digits: int) -> None:
        self._down, self._up = (
            Context(prec=digits, rounding=rounding, Emin=MIN_EMIN, Emax=MAX_EMAX)
            for rounding in (ROUND_FLOOR, ROUND_CEILING)
        )

    def exp(self, x: Decimal) -> Enclosure:
        """The exponential of an exact number, of whatever many digits."""
        if not x:
            return exactly(1)
        near = self._down.exp(x)
        return max(Decimal(0), self._down.next_minus(near)), self._up.next_plus(near)

    def log(self, a: Enclosure) -> Enclosure:
        """The natural logarithm of a number from 1 on."""
        low, high = self._down.ln(a[0]), self._up.ln(a[1])
        return max(Decimal(0), self._down.next_minus(low)), self._up.next_plus(high)

    def add(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """The sum."""
        return self._down.add(a[0], b[0]), self._up.add(a[1], b[1])

    def subtract(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """The difference, which is known to be 0 or more."""
        return max(Decimal(0), self._down.subtract(a[0], b[1])), self._up.subtract(a[1], b[0])

    def multiply(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """The product."""
        return self._down.multiply(a[0], b[0]), self._up.multiply(a[1], b[1])

    def divide(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """The quotient."""
        return self._down.divide(a[0], b[1]), self._up.divide(a[1], b[0])


def exactly(number: float) -> Enclosure:
    """A float or an integer as an enclosure with nothing in between.

    Example:
        >>> print(*exactly(0.5))
        0.5 0.5
    """
    exact = Decimal(number)
    return exact, exact


def decide(enclose: Callable[[Digits], Enclosure], dtype: Any) -> float:
    """A number rounded once to nearest, ties to even, in a type; as a Python float.

    Args:
        enclose: Encloses the number in the arithmetic that it is given. The number must be positive
            and not where rounding to the type jumps.
        dtype: float16, float32 or float64.

    Example:
        >>> decide(lambda digits: digits.exp(Decimal(1)), "float32")
        2.7182817459106445
    """
    digits = FIRST
    while True:
        ends = [end.as_integer_ratio() for end in enclose(Digits(digits))]
        least, most = (integers.quotient(N, D, dtype) for N, D in ends)
        if least == most:
            return least
        digits *= 2
