"""The options of a cross-correlation: what a caller may write, checked and in one form."""

from typing import Any, NamedTuple

from d2lconv.core import checks
from d2lconv.errors import ArgumentError, D2LConvError

Pair = tuple[int, int]
Sides = tuple[Pair, Pair]


class Options(NamedTuple):
    """The options in the one form that all code behind the API sees.

    Attributes:
        stride: By how many elements the window moves, down and right.
        padding: How many zeros lie around, ((top, bottom), (left, right)); or "same".
        dilation: How far apart the elements of a kernel lie, down and right.
        groups: Into how many groups the channels are divided.
    """

    stride: Pair = (1, 1)
    padding: Any = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1


def settings(stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: Any = 1) -> Options:
    """The options of a cross-correlation, checked and in one form.

    Args:
        stride, dilation: An integer of at least 1, or a pair (height, width) of them.
        padding: An integer of at least 0; a pair (height, width); a pair of pairs ((top, bottom),
            (left, right)); "valid", which is 0; or "same".
        groups: An integer of at least 1.

    Raises:
        ArgumentError: An option is none of these.

    Example:
        >>> settings(2, (1, 0))
        Options(stride=(2, 2), padding=((1, 1), (0, 0)), dilation=(1, 1), groups=1)
    """
    return Options(
        steps("stride", stride),
        padding if isinstance(padding, str) and padding == "same" else sides(padding),
        steps("dilation", dilation),
        checks.whole_number("groups", groups, least=1),
    )


def steps(name: str, value: Any, error: type[D2LConvError] = ArgumentError) -> Pair:
    """A pair of positive integers; one stands for both."""
    pair = (value, value) if checks.integer(value) is not None else value
    try:
        down, right = (checks.index(n) for n in pair if not isinstance(n, bool))
    except (TypeError, ValueError):
        down = right = 0
    if min(down, right) < 1:
        raise error(
            f"{name} is {value!r}; it must be an integer of at least 1, or a pair "
            "(height, width) of them."
        )
    return down, right


def sides(padding: Any) -> Sides:
    """Padding as ((top, bottom), (left, right))."""
    if isinstance(padding, str):
        if checks.choice("padding", padding, ("valid", "same")) == "same":
            raise ArgumentError(
                "padding is 'same', which depends on the size of the image, and that is not known "
                "here; give numbers."
            )
        return (0, 0), (0, 0)
    try:
        both = (padding, padding) if checks.integer(padding) is not None else tuple(padding)
        pairs = [(n, n) if checks.integer(n) is not None else tuple(n) for n in both]
        (top, bottom), (left, right) = pairs
        numbers = [checks.index(n) for n in (top, bottom, left, right) if not isinstance(n, bool)]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or min(numbers) < 0:
        raise ArgumentError(
            f"padding is {padding!r}; it must be an integer of at least 0, a pair (height, width), "
            "((top, bottom), (left, right)), 'valid' or 'same'."
        )
    return (numbers[0], numbers[1]), (numbers[2], numbers[3])
