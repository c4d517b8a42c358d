"""Other windows: padding, where they start, stride and dilation."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from d2lconv.core.geometry import same_padding
from d2lconv.parity.call import MODES, Call, pad
from d2lconv.parity.guess import Guess
from d2lconv.parity.mistakes.steps import Step, calling, changing, on_image

WORDS = {
    "edge": "the edge's",
    "reflect": "reflected",
    "mirrored": "mirrored",  # the edge is there twice
    "circular": "circular",
}


def padding(guess: Guess, result: Any) -> Iterator[Step]:
    """Other padding."""
    call = guess.call
    for words, sides in _paddings(call):
        if sides != call.padding:
            yield words, calling(padding=sides)


def padding_values(guess: Guess, result: Any) -> Iterator[Step]:
    """Padding of other values."""
    call = guess.call
    if call.of in ("output", "weight") and any(map(any, call.padding)):
        for mode in MODES:
            inside = all(
                max(p) < n + (mode == "mirrored") or mode == "edge"
                for p, n in zip(call.padding, call.image[2:], strict=True)
            )
            if inside and not any(n < 0 for p in call.padding for n in p):
                if mode == "mirrored" and max(map(max, call.padding)) == 1:
                    continue  # that is the edge's values
                words = WORDS[mode]
                yield (
                    f"padding by {words} values instead of zeros",
                    calling(mode=mode),
                )


def _paddings(call: Call) -> Iterator[tuple[str, Any]]:
    """Other paddings, with words."""
    kernel, image = call.kernel[2:], call.image[2:]
    spans = [(k - 1) * d for k, d in zip(kernel, call.dilation, strict=True)]
    if any(map(any, call.padding)):
        yield "no padding", ((0, 0), (0, 0))
        if any(a != b for a, b in call.padding):
            other = tuple((after, before) for before, after in call.padding)
            yield f"the odd zero on the other side, padding {other}", other
            (top, bottom), (left, right) = call.padding
            for low in (min, max):
                even = ((low(top, bottom),) * 2, (low(left, right),) * 2)
                yield f"the same padding on both sides, {even}", even
    same = tuple(map(same_padding, image, kernel, call.stride, call.dilation))
    yield f"SAME's padding, {same}", same
    symmetric = tuple((span // 2,) * 2 for span in spans)
    yield f"symmetric padding {symmetric}", symmetric
    yield "full padding, " + str(full := tuple((span,) * 2 for span in spans)), full
    if max(call.stride) > 1:
        without = tuple((span // 2, span - span // 2) for span in spans)
        yield f"SAME's padding at stride 1, {without}", without
    if max(call.dilation) > 1:
        plain = tuple(map(same_padding, image, kernel, call.stride))
        yield f"SAME's padding without the dilation, {plain}", plain
    for more in (-1, 1):
        (top, bottom), (left, right) = call.padding
        sides = ((top + more, bottom + more), (left + more, right + more))
        if min(map(min, sides)) >= 0 and max(map(max, sides)) > 0:
            yield f"padding {sides} instead of {call.padding}", sides
        for end in (((0, 1), (0, 1)), ((1, 0), (1, 0))):
            one = tuple(
                (a + more * x, b + more * y)
                for (a, b), (x, y) in zip(call.padding, end, strict=True)
            )
            if min(map(min, one)) >= 0:
                yield f"padding {one} instead of {call.padding}", one
    if call.padding[0] != call.padding[1]:
        yield "the paddings of height and width exchanged", call.padding[::-1]
        for axis in (0, 1):
            both = (call.padding[axis],) * 2
            yield f"the padding of the {('height', 'width')[axis]} in both axes", both
    if any(a for a, _ in call.padding):
        after = tuple((0, a + b) for a, b in call.padding)
        yield f"all of the padding behind the image, {after}", after
    if any(b for _, b in call.padding):
        before = tuple((a + b, 0) for a, b in call.padding)
        yield f"all of the padding before the image, {before}", before


def shifted(guess: Guess, result: Any) -> Iterator[Step]:
    """Windows that start elsewhere."""
    stride = guess.call.stride
    reach = [max(2, s) for s in stride]
    for dy, dx in itertools.product(*(range(-r, r + 1) for r in reach)):
        if (dy, dx) != (0, 0):
            what = "a stride that starts" if max(stride) > 1 else "windows"
            yield f"{what} shifted by ({dy}, {dx})", partial(_moved, by=(dy, dx))
    for dy, dx in itertools.product(range(-2, 3), repeat=2):
        by, back = (dy, dx), (-dy, -dx)
        if by == (0, 0):
            continue
        roll, unroll = (partial(np.roll, shift=move, axis=(2, 3)) for move in (by, back))
        yield from changing(guess, "images", f"images rolled {_way(by)}", roll, unroll)
        yield from changing(guess, "outputs", f"{_outputs(guess)} rolled {_way(by)}", roll, unroll)
        if guess.call.X is not None:
            words = f"images moved {_way(by)}, zeros coming in"
            yield words, on_image(partial(_zeros_coming_in, by=by))
        yield from _moved_result(guess, result, by)


def _outputs(guess: Guess) -> str:
    return "a result" if guess.call.of == "output" else "the output's gradient"


def _way(by: tuple[int, int]) -> str:
    dy, dx = by
    return f"down by {dy}" if not dx else f"right by {dx}" if not dy else f"by {by}"


def _zeros_coming_in(a: Any, by: tuple[int, int]) -> Any:
    """Images moved down and right."""
    dy, dx = by
    return pad(a, ((dy, -dy), (dx, -dx)))


def _moved_result(guess: Guess, result: Any, by: tuple[int, int]) -> Iterator[Step]:
    """A result that was moved; what came in is zero, and what is left has fewer windows."""
    call, (dy, dx) = guess.call, by
    if call.of != "output" or result.shape != call.shape:
        return
    H, W = call.size
    rows, columns = slice(max(0, dy), H + min(0, dy)), slice(max(0, dx), W + min(0, dx))
    kept = result[:, :, rows, columns]
    if not kept.size or np.count_nonzero(kept) != np.count_nonzero(result):
        return

    def step(guess: Guess) -> Guess:
        moved = _moved(guess, (max(0, -dy) * guess.call.stride[0],
                               max(0, -dx) * guess.call.stride[1]))  # fmt: skip
        fewer = moved.with_call(output=(kept.shape[2], kept.shape[3]))
        return replace(fewer, undo=(*fewer.undo, lambda a: a[:, :, rows, columns]))

    yield f"a result moved {_way(by)}, zeros coming in", step


def _moved(guess: Guess, by: tuple[int, int]) -> Guess:
    """Windows that start elsewhere, as many as before: what lies outside is zero."""
    call = guess.call
    sides = []
    for (before, after), move, n, size, k, s, d in zip(
        call.padding,
        by,
        call.image[2:],
        call.size,
        call.kernel[2:],
        call.stride,
        call.dilation,
        strict=True,
    ):
        start = before - move
        needed = (size - 1) * s + (k - 1) * d + 1 - n - start
        sides.append((start, max(after, needed) if call.of == "output" else after + move))
    return guess.with_call(padding=(sides[0], sides[1]), output=call.size)


def strides(guess: Guess, result: Any) -> Iterator[Step]:
    """Another stride."""
    call = guess.call
    others = {(1, 1), (2, 2), call.stride[::-1], (call.stride[0],) * 2, (call.stride[1],) * 2}
    for stride in sorted(others - {call.stride}):
        yield (
            f"stride {stride} instead of {call.stride}",
            calling(stride=stride),
        )


def dilation(guess: Guess, result: Any) -> Iterator[Step]:
    """Another dilation, and the padding with it or not."""
    call = guess.call
    others = {(1, 1), call.dilation[::-1], (call.dilation[0],) * 2, (call.dilation[1],) * 2}
    for dilation in sorted(others - {call.dilation}):
        words = "dilation ignored" if dilation == (1, 1) else f"dilation {dilation}"
        words = f"{words}, not {call.dilation}" if dilation != (1, 1) else words
        yield words, calling(dilation=dilation)
        # Often the padding follows, so that the shape stays.
        less = [
            (k - 1) * (d - e)
            for k, d, e in zip(call.kernel[2:], call.dilation, dilation, strict=True)
        ]
        sides = tuple(
            (before - n // 2, after - (n - n // 2))
            for (before, after), n in zip(call.padding, less, strict=True)
        )
        yield (
            f"{words}, and the padding with it",
            calling(dilation=dilation, padding=sides),
        )
        if call.of == "output":  # a gradient's windows are as many as those of G
            yield (
                f"{words}, with as many windows as before",
                calling(dilation=dilation, output=call.size),
            )
