"""Orders of axes mistaken: reshaped where they should be transposed."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from d2lconv.parity.guess import Guess
from d2lconv.parity.layouts import IMAGES, Axes
from d2lconv.parity.mistakes.steps import Step, afterwards, on_image, on_kernel


def reshaped(guess: Guess, result: Any) -> Iterator[Step]:
    """What should be transposed is reshaped."""
    call = guess.call
    if call.X is not None and call.image[1] > 1:
        n, c, h, w = call.image
        yield (
            "images reshaped, not transposed, from channels-last",
            on_image(lambda a: a.transpose(0, 2, 3, 1).reshape(n, c, h, w)),
        )
        yield (
            "images reshaped, not transposed, to channels-last",
            on_image(lambda a: a.reshape(n, h, w, c).transpose(0, 3, 1, 2)),
        )
    if call.K is not None and sum(size > 1 for size in call.kernel) > 1:
        index = np.arange(math.prod(call.kernel), dtype=np.int32).reshape(call.kernel)
        seen = {index.tobytes()}
        for order in itertools.permutations(range(4)):
            name = "".join("OIHW"[i] for i in order)
            given = _first_reshaped(seen, index, order)
            for words, change in given:
                yield words.format(name), on_kernel(change)
    if call.of == "output" and call.shape[1] > 1:
        n, o, H, W = call.shape
        yield (
            "a result reshaped, not transposed, from channels-last",
            afterwards(lambda a: a.reshape(n, H, W, o).transpose(0, 3, 1, 2)),
        )
        yield (
            "a result reshaped, not transposed, to channels-last",
            afterwards(lambda a: a.transpose(0, 2, 3, 1).reshape(n, o, H, W)),
        )


def _first_reshaped(
    seen: set[bytes], index: Any, order: tuple[int, ...]
) -> Iterator[tuple[str, Callable[[Any], Any]]]:
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
    for text, change in ((words, to), ("a kernel OIHW reshaped, not transposed, to {}", of)):
        places = change(index).tobytes()
        if places not in seen:
            seen.add(places)
            yield text, change


def layout_of_result(guess: Guess, result: Any) -> Iterator[Step]:
    """The right result, in another order of axes."""
    for letters in IMAGES:
        if len(letters) != 4 or letters == "NCHW":
            continue
        axes = Axes(letters, "NCHW")
        yield f"the right result in the layout {letters}", afterwards(axes.lift)
    yield (
        "the right result with height and width exchanged",
        afterwards(lambda a: a.swapaxes(2, 3)),
    )
