"""Orders of axes mistaken: reshaped where they should be transposed."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from d2lconv.parity.guess import Guess
from d2lconv.parity.layouts import IMAGES, KERNELS, Axes
from d2lconv.parity.mistakes.steps import Step, afterwards, changing


def reshaped(guess: Guess, result: Any) -> Iterator[Step]:
    """What should be transposed is reshaped."""
    call = guess.call
    n, c, h, w = call.image
    if c > 1:
        last, first = last_and_first(n, c, h, w)
        for words, change, back in (("from", last, first), ("to", first, last)):
            words = f"images reshaped, not transposed, {words} channels-last"
            yield from changing(guess, "images", words, change, back)
    if sum(size > 1 for size in call.kernel) > 1:
        index = np.arange(math.prod(call.kernel), dtype=np.int32).reshape(call.kernel)
        seen = {index.tobytes()}
        for order in itertools.permutations(range(4)):
            name = "".join("OIHW"[i] for i in order)
            for words, change, back in _first_reshaped(seen, index, order):
                yield from changing(guess, "kernels", words.format(name), change, back)
    o = call.kernel[0]
    if o > 1:
        what = "a result" if call.of == "output" else "the output's gradient"
        last, first = last_and_first(n, o, *call.size)
        for words, change, back in (("from", last, first), ("to", first, last)):
            words = f"{what} reshaped, not transposed, {words} channels-last"
            yield from changing(guess, "outputs", words, change, back)


Change = Callable[[Any], Any]


def last_and_first(n: int, c: int, h: int, w: int) -> tuple[Change, Change]:
    """Channels-last reshaped to channels-first, and the other way round."""
    return (
        lambda a: a.transpose(0, 2, 3, 1).reshape(n, c, h, w),
        lambda a: a.reshape(n, h, w, c).transpose(0, 3, 1, 2),
    )


def _first_reshaped(
    seen: set[bytes], index: Any, order: tuple[int, ...]
) -> Iterator[tuple[str, Change, Change]]:
    """Ways in which a kernel in another order of axes is misread, if none was the same."""
    back = tuple(int(i) for i in np.argsort(order))

    def to(a: Any) -> Any:
        return a.transpose(order).reshape(a.shape)

    def of(a: Any) -> Any:
        return a.reshape([a.shape[i] for i in order]).transpose(back)

    plain = tuple(index.shape[i] for i in order) == index.shape
    words = (
        "a kernel whose axes {} are taken for OIHW"
        if plain
        else ("a kernel {} reshaped, not transposed, to OIHW")
    )
    other = "a kernel OIHW reshaped, not transposed, to {}"
    for text, change, inverse in ((words, to, of), (other, of, to)):
        places = change(index).tobytes()
        if places not in seen:
            seen.add(places)
            yield text, change, inverse


def layout_of_result(guess: Guess, result: Any) -> Iterator[Step]:
    """The right result, in another order of axes."""
    known, ours = (KERNELS, "OIHW") if guess.call.of == "weight" else (IMAGES, "NCHW")
    for letters in known:
        if len(letters) == 4 and letters not in (ours, "HWIM"):
            yield (
                f"the right result in the layout {letters}",
                afterwards(Axes(letters, ours).lift),
            )
    if guess.call.of != "weight":
        yield (
            "the right result with height and width exchanged",
            afterwards(lambda a: a.swapaxes(2, 3)),
        )
