"""Pooling: its results, what they may be off, and what went wrong."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from d2lconv.core import checks
from d2lconv.core.geometry import same_padding
from d2lconv.core.options import Pair, Sides, settings, steps
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.parity import layouts, values
from d2lconv.parity.bounds import of_terms
from d2lconv.parity.bounds.roundoff import gamma
from d2lconv.parity.call import pad
from d2lconv.parity.causes import TELLING
from d2lconv.parity.differences import (
    equal_values,
    largest_ulp,
    numbers,
    same_kind,
    share_in_words,
)
from d2lconv.parity.mistakes.axes import last_and_first
from d2lconv.parity.mistakes.numbers import CASTS, FACTORS
from d2lconv.parity.terms import Terms, plain
from d2lconv.parity.values import Values
from d2lconv.parity.verdict import Comparison

MODES = ("max", "avg")


def compare_pool(
    actual: Any,
    expected: Any,
    X: Any,
    size: Any,
    *,
    mode: str = "max",
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = False,
    ceil_mode: bool = False,
    layout: str | None = None,
) -> Comparison:
    """Compare two results of pooling; both are held against the true value.

    A maximum has no rounding: both must be it. A mean is a sum and a division.

    Args:
        actual, expected: Results, in ``layout``.
        X: The images, in ``layout``.
        size: The window, an integer or a pair.
        mode: "max" or "avg".
        stride: None is the window's size, as every framework's layer has it.
        padding: As :func:`d2lconv.corr2d` takes it.
        count_include_pad: Whether a mean is divided by the size of the window, padding included.
        ceil_mode: Whether a last window may reach beyond the padding, if it begins before that.
        layout: "NCHW", "NHWC", "CHW", "HWC" or "HW".

    Returns:
        A :class:`~d2lconv.parity.Comparison`; its causes are among: padding with 0 instead of
        -inf, padding counted or not, floor or ceil of the output's size, mean or maximum, sum,
        another padding or stride.

    Raises:
        ShapeError, ArgumentError: Shapes or options contradict each other.

    Example:
        >>> X, right = -np.ones((2, 2), np.float32), -np.ones((3, 3), np.float32)
        >>> actual = np.float32([[0, 0, 0], [0, -1, 0], [0, 0, 0]])
        >>> compare_pool(actual, right, X, 2, stride=1, padding=1).cause
        'padding with 0 instead of -inf'
    """
    options = mode, stride, padding, count_include_pad, ceil_mode, layout
    right, axes = _right(X, size, *options)
    a, e = values.read(actual, "actual"), values.read(expected, "expected")
    wanted = axes.lower(np.empty(right.shape, bool)).shape
    if e.shape != wanted:
        raise ShapeError(
            f"X gives results of shape {wanted}, but expected has the shape {e.shape}."
        )
    if a.shape != wanted:
        found: tuple[str, ...] = ()
        text = ""
        if axes.fits(a.shape):
            found = _causes(right, a.map(axes.lift))
            text = _words("actual", found)
            if not found and (shapes := _of_shape(right, axes.lift(a.floats).shape)):
                text = f". The shape, not the numbers, is what {' or '.join(shapes)} gives"
        reason = f"the shapes differ: {a.shape} is not {wanted}{text}"
        return Comparison(False, None, float("inf"), None, "bug", reason, causes=found)
    equal, difference = values.difference(a, e)
    if equal.all():
        same, shares = same_kind(a, e), np.zeros(a.shape)
        verdict = "identical" if same else "rounding"
        reason = (
            f"all {a.floats.size:,} elements have the same bits" if same else equal_values(a, e)
        )
        return Comparison(same, 0, 0.0, None, verdict, reason, shares=shares)
    results = {"actual": a, "expected": e}
    allowed = {name: axes.lower(right.allowed(t.map(axes.lift))) for name, t in results.items()}
    total = allowed["actual"] + allowed["expected"]
    with np.errstate(all="ignore"):
        shares = np.where(equal, 0.0, np.nan_to_num(difference / total, nan=np.inf, posinf=np.inf))
    worst = tuple(map(int, np.unravel_index(int(shares.argmax()), shares.shape)))
    share = float(shares[worst])
    reason = numbers(a, e, worst) + share_in_words(total[worst], share)
    causes: tuple[str, ...] = ()
    if share > 1:
        true = axes.lower(right.value)
        reason += f". The true value is {float(true[worst])!r}"
        lifted = {name: t.map(axes.lift) for name, t in results.items()}
        wrong = [name for name, t in lifted.items() if right.off(t)]
        reason += f", so {' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} wrong"
        for name in wrong:
            found = _causes(right, lifted[name])
            reason += _words(name, found)
            causes += tuple(words for words in found if words not in causes)
    verdict = "bug" if share > 1 else "rounding"
    ulp = largest_ulp(a, e)
    return Comparison(False, ulp, share, worst, verdict, reason, causes=causes, shares=shares)


def pooled(X: Any, size: Any, **options: Any) -> Any:
    """The true results of pooling in float64, for the arguments of :func:`compare_pool`.

    Example:
        >>> pooled([[1, 2], [3, 4]], 2, mode="avg").tolist()
        [[2.5]]
    """
    right, axes = _right(X, size, **options)
    return axes.lower(right.value)


def _right(
    X: Any,
    size: Any,
    mode: str = "max",
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = False,
    ceil_mode: bool = False,
    layout: str | None = None,
) -> tuple["_Pool", layouts.Axes]:
    checks.choice("mode", mode, MODES)
    image = values.read(X, "X")
    axes = layouts.of_image(layout, image.shape, "X")
    lifted = image.map(axes.lift)
    window = steps("size", size, ShapeError)
    strides, sides, _, _ = settings(window if stride is None else stride, padding)
    if sides == "same":
        sides = tuple(map(same_padding, lifted.shape[2:], window, strides))
    right = _Pool(lifted, window, strides, sides, mode, count_include_pad, ceil_mode)
    for n, k, s, (before, _), many in zip(
        lifted.shape[2:], window, strides, sides, right.shape[2:], strict=True
    ):
        if k <= before or (many - 1) * s >= n + before:
            raise ArgumentError(
                f"padding is {sides} around {lifted.shape[2:]}, so that a window of {window} would "
                "lie in the padding alone, which has no maximum and no mean. Use less padding."
            )
    return right, axes


class _Pool:
    """One way to pool, with its true results (n, c, H, W) in float64."""

    def __init__(
        self,
        X: Values,
        window: Pair,
        stride: Pair,
        sides: Sides,
        mode: str,
        counted: bool,
        ceil: bool,
        *,
        filled: float = -np.inf,
        divisor: str = "counted",
        clipped: bool = True,
        relu: bool = False,
    ) -> None:
        self.given = X, window, stride, sides, mode, counted, ceil
        n, c, h, w = X.shape
        output, whole = [], []
        for size, k, s, (before, after) in zip((h, w), window, stride, sides, strict=True):
            padded = size + before + after
            if padded < k:
                raise ShapeError(
                    f"the window, {window}, is larger than the image, {(h, w)}, with its padding."
                )
            many = -(-(padded - k) // s) + 1 if ceil else (padded - k) // s + 1
            if ceil and clipped and (many - 1) * s >= size + before:
                many -= 1  # it would begin in the padding
            output.append(many)
            whole.append(max(0, (many - 1) * s + k - padded))
        self.shape = (n, c, *output)
        (top, bottom), (left, right) = sides
        more = (top, bottom + whole[0]), (left, right + whole[1])
        self.mode = mode
        ones = np.ones((1, 1, h, w))
        if mode == "max":
            wide = pad(X.wide() - 0.0, more)
            inside = pad(ones, more) > 0
            wide = np.where(inside, wide, filled)
            slide: Any = np.lib.stride_tricks.sliding_window_view
            windows = slide(wide, window, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
            self.value = windows[:, :, : output[0], : output[1]].max((-2, -1))
            self.value = np.maximum(self.value, 0) if relu else self.value
            return
        extra = (0, whole[0]), (0, whole[1])
        counts = pad(ones, more) if not counted else pad(pad(ones, sides) * 0 + 1, extra)
        kernel = np.ones((c, 1, *window))
        A = X.map(lambda a: pad(a, more))
        geometry = plain(A.shape, kernel.shape, c, (output[0], output[1]), stride)
        self.terms = Terms(A, Values(kernel, None), geometry)
        one = plain(counts.shape, (1, 1, *window), 1, (output[0], output[1]), stride)
        self.counts = Terms(Values(counts, None), Values(kernel[:1], None), one).value
        if divisor != "counted":
            self.counts[...] = {"none": 1, "window": window[0] * window[1]}[divisor]
        with np.errstate(all="ignore"):
            self.value = self.terms.value / self.counts
        self.value = np.maximum(self.value, 0) if relu else self.value

    def allowed(self, result: Values) -> Any:
        """What rounding explains in a result."""
        if self.mode == "max":
            return np.zeros(result.shape)
        dtype = result.dtype or self.given[0].dtype or "float32"
        with np.errstate(all="ignore"):
            bound = of_terms(self.terms, dtype).of(result.wide()) / self.counts
        printed = np.where(result.held_by(dtype), 0, gamma(1, dtype) * np.abs(result.wide()))
        return bound + gamma(2, dtype) * (np.abs(self.value) + bound) + printed

    def off(self, result: Values) -> bool:
        """Whether a result is further from the true value than rounding explains."""
        if result.shape != self.shape:
            return True
        with np.errstate(all="ignore"):
            far = np.abs(result.wide() - self.value)
        same = (result.wide() == self.value) | (np.isnan(result.wide()) & np.isnan(self.value))
        return not bool((same | (far <= self.allowed(result))).all())


Undo = Callable[[Values], Values]


@np.errstate(all="ignore")
def _causes(right: _Pool, result: Values) -> tuple[str, ...]:
    changes = _changes(right)
    pairs = [
        (f"{a} together with {b}", {**one, **two})
        for (a, one), (b, two) in itertools.combinations(changes, 2)
        if not set(one) & set(two)
    ]
    telling = np.count_nonzero(result.floats) >= TELLING
    for some in (changes, pairs) if telling else (changes,):
        pools = _pools(right, some)
        found = [words for words, other, undo in pools if _explains(other, undo, result)]
        if found:
            return tuple(found[:4])
    return ()


def _of_shape(right: _Pool, shape: tuple[int, ...]) -> list[str]:
    """The mistakes that would at least give this shape."""
    pools = _pools(right, _changes(right))
    return [words for words, other, _ in pools if other.shape == shape][:4]


def _explains(other: _Pool, undo: Undo, result: Values) -> bool:
    with contextlib.suppress(ValueError):  # it cannot be reshaped so
        return not other.off(undo(result))
    return False


def _changes(right: _Pool) -> list[tuple[str, dict[str, Any]]]:
    """The mistakes that people make in pooling, with words.

    A change has arguments of :class:`_Pool`, or "undo", which takes a result back to the order and
    scale that it should have.
    """
    X, window, stride, sides, mode, counted, ceil = right.given
    changes: list[tuple[str, dict[str, Any]]] = []
    if mode == "max":
        changes += [
            ("padding with 0 instead of -inf", {"filled": 0.0}),
            ("the mean", {"mode": "avg"}),
            ("the minimum", {"X": X.map(np.negative), "undo": lambda t: t.map(np.negative)}),
        ]
    else:
        changes += [
            ("padding not counted" if counted else "padding counted", {"counted": not counted}),
            ("the sum instead of the mean", {"divisor": "none"}),
            ("a division by the whole window, whatever is in it", {"divisor": "window"}),
            ("the maximum", {"mode": "max"}),
            ("the maximum with padding of 0", {"mode": "max", "filled": 0.0}),
        ]
    changes += [
        (
            "the output's size rounded down" if ceil else "the output's size rounded up",
            {"ceil": not ceil},
        ),
        ("a last window that begins in the padding", {"ceil": True, "clipped": False}),
    ]
    same = tuple(map(same_padding, X.shape[2:], window, stride))
    other_sides = {
        f"SAME's padding, {same}": same,
        "no padding": ((0, 0), (0, 0)),
        "the odd padding on the other side": tuple((b, a) for a, b in sides),
        "the same padding on both sides": tuple((max(p),) * 2 for p in sides),
    }
    for by in itertools.product((-1, 0, 1), repeat=2):
        if by != (0, 0):
            moved = tuple((a - move, b + move) for (a, b), move in zip(sides, by, strict=True))
            other_sides[f"windows shifted by {by}"] = moved
    for words, padding in other_sides.items():
        if padding != sides:
            changes.append((words, {"sides": padding}))
    if (
        any(map(any, sides)) and mode != "max" and not ceil
    ):  # around a maximum, the edge's values win nothing
        around = X.map(lambda a: pad(a, sides, "edge"))
        no_sides = {"X": around, "sides": ((0, 0), (0, 0))}
        changes.append(("padding by the edge's values", no_sides))
    for other in sorted({(1, 1), window, stride[::-1]} - {stride}):
        changes.append((f"stride {other} instead of {stride}", {"stride": other}))
    kh, kw = window
    for other in sorted({(kw, kh), (kh + 1, kw + 1), (kh - 1, kw - 1)} - {window}):
        if min(other) > 0:
            changes.append((f"a window of {other} instead of {window}", {"window": other}))
    return [*changes, *_generic(right)]


def _generic(right: _Pool) -> Iterator[tuple[str, dict[str, Any]]]:
    """What may go wrong around any operation: the order of axes and channels, factors, types."""
    X = right.given[0]
    n, c, h, w = X.shape
    H, W = right.shape[2:]
    last, first = last_and_first(n, c, h, w)
    _, back = last_and_first(n, c, H, W)
    nhwc = layouts.Axes("NHWC", "NCHW")
    yield "the right result in the layout NHWC", {"undo": lambda t: t.map(nhwc.lift)}
    yield "the result with height and width exchanged", {"undo": lambda t: t.map(_exchanged)}
    yield "images with height and width exchanged", {"X": X.map(_exchanged)}
    if c > 1:
        yield "images reshaped, not transposed, from channels-last", {"X": X.map(last)}
        yield "images reshaped, not transposed, to channels-last", {"X": X.map(first)}
        words = "a result reshaped, not transposed, from channels-last"
        yield words, {"undo": lambda t: t.map(back)}
        yield "channels in reverse order", {"X": X.map(lambda a: a[:, ::-1])}
    yield "relu applied to the result", {"relu": True}
    for words, factor in FACTORS:
        change = {"undo": lambda t, factor=factor: t.map(lambda a: a / a.dtype.type(factor))}
        yield words, change
    for words, cast in CASTS.items():
        yield f"X {words}", {"X": Values(cast(X.wide()), None)}


def _exchanged(a: Any) -> Any:
    return a.swapaxes(2, 3)


def _pools(
    right: _Pool, changes: list[tuple[str, dict[str, Any]]]
) -> Iterator[tuple[str, _Pool, Undo]]:
    names = ("X", "window", "stride", "sides", "mode", "counted", "ceil")
    base = dict(zip(names, right.given, strict=True))
    for words, change in changes:
        undo = change.get("undo", lambda t: t)
        options = {name: value for name, value in change.items() if name != "undo"}
        with contextlib.suppress(ShapeError):
            yield words, _Pool(**{**base, **options}), undo


def _words(name: str, found: tuple[str, ...]) -> str:
    return f". {name} is what {', or '.join(found)} gives" if found else ""
