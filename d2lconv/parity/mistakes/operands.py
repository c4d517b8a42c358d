"""Operands in another order: kernels flipped, channels and groups exchanged."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from d2lconv.parity.guess import Guess
from d2lconv.parity.mistakes.steps import Step, afterwards, on_image, on_kernel, taking

FLIPS = {
    "flipped in both axes": lambda a: a[..., ::-1, ::-1],
    "flipped upside down": lambda a: a[..., ::-1, :],
    "flipped left to right": lambda a: a[..., :, ::-1],
}


def flipped(guess: Guess, result: Any) -> Iterator[Step]:
    """Kernels, or gradients of them, flipped."""
    kh, kw = guess.call.kernel[2:]
    for words, flip in FLIPS.items():
        if (kh > 1 or "left" in words) and (kw > 1 or "down" in words):
            if guess.call.of == "weight":
                yield f"a gradient {words}", afterwards(flip)
            else:
                yield f"a kernel {words}", on_kernel(flip)


def transposed(guess: Guess, result: Any) -> Iterator[Step]:
    """Height and width exchanged."""
    if guess.call.of == "weight":
        yield (
            "a gradient with height and width exchanged",
            afterwards(lambda a: a.swapaxes(2, 3)),
        )
    elif max(guess.call.kernel[2:]) > 1:
        yield "a kernel with height and width exchanged", on_kernel(lambda a: a.swapaxes(2, 3))
    if guess.call.X is not None:
        yield "images with height and width exchanged", on_image(lambda a: a.swapaxes(2, 3))


def in_and_out(guess: Guess, result: Any) -> Iterator[Step]:
    """In and out channels exchanged."""
    o, per_group = guess.call.kernel[:2]
    if guess.call.groups == 1 and o > 1 and per_group > 1:
        yield (
            "a kernel with its in and out channels exchanged",
            on_kernel(lambda a: a.swapaxes(0, 1)),
        )


def channel_orders(guess: Guess, result: Any) -> Iterator[Step]:
    """Channels in another order."""
    c, o = guess.call.image[1], guess.call.kernel[0]
    for order in _orders(c):
        words = f"input channels in {order[0]}"
        if guess.call.of == "input":
            yield words, afterwards(taking(np.argsort(order[1])))
        elif guess.call.X is not None:
            yield words, on_image(taking(order[1]))
    for order in _orders(o):
        words = f"output channels in {order[0]}"
        if guess.call.of == "output":
            yield words, afterwards(taking(np.argsort(order[1])))
        elif guess.call.of == "weight":
            back = np.argsort(order[1])
            yield words, afterwards(taking(back, axis=0))
        elif guess.call.K is not None:
            yield words, on_kernel(taking(order[1], axis=0))


def _orders(n: int) -> Iterator[tuple[str, Any]]:
    """Orders of n channels, with words."""
    if n < 2:
        return
    yield "reverse order", np.arange(n)[::-1]
    if n == 3:
        for order in itertools.permutations(range(3)):
            if order not in ((0, 1, 2), (2, 1, 0)):
                yield f"the order {order}", np.array(order)


def _interleaved(n: int, groups: int) -> Any:
    """The order in which the first of every group comes first."""
    return np.arange(n).reshape(groups, -1).T.ravel()


def groups_order(guess: Guess, result: Any) -> Iterator[Step]:
    """Groups of other channels, or their outputs in another order."""
    groups, c, o = guess.call.groups, guess.call.image[1], guess.call.kernel[0]
    if groups == 1:
        return
    if c > groups and guess.call.X is not None:
        words = "groups of every {}th channel instead of neighbours"
        for step in sorted({groups, c // groups}):
            yield words.format(step), on_image(taking(_interleaved(c, c // step)))
    if o > groups and guess.call.of == "output":
        what = "the multiplier" if c == groups else "the groups"
        for size in sorted({groups, o // groups}):
            back = _interleaved(o, size)
            yield f"output channels with {what} in the other order", afterwards(taking(back))
    if o > groups and guess.call.K is not None:
        for size in sorted({groups, o // groups}):
            order = _interleaved(o, size)
            yield (
                f"kernels with {'the multiplier' if c == groups else 'the groups'} in the other "
                "order",
                on_kernel(taking(order, axis=0)),
            )
    if guess.call.X is not None:
        backward = np.arange(c).reshape(groups, -1)[::-1].ravel()
        yield "groups in reverse order", on_image(taking(backward))


def groups_ignored(guess: Guess, result: Any) -> Iterator[Step]:
    """Groups where there are none, or the other way round."""
    groups, c, o = guess.call.groups, guess.call.image[1], guess.call.kernel[0]
    per_group = guess.call.kernel[1]
    if guess.call.of != "output":
        return
    if groups > 1:
        tiled = on_kernel(lambda a: np.tile(a, (1, groups, 1, 1)))
        yield (
            f"groups ignored (1, not {groups}), every output seeing all channels",
            lambda guess: tiled(guess).with_call(groups=1),
        )
        first = on_image(lambda a: a[:, :per_group])
        yield (
            f"groups ignored (1, not {groups}), every output seeing the first {per_group}",
            lambda guess: first(guess).with_call(groups=1),
        )
        return
    for many in range(2, min(c, o) + 1):
        if c % many == 0 and o % many == 0:
            own = np.arange(o) // (o // many)
            channels = own[:, None] * (c // many) + np.arange(c // many)

            def block(a: Any, channels: Any = channels) -> Any:
                return a[np.arange(len(a))[:, None], channels]

            def step(guess: Guess, many: int = many, block: Any = block) -> Guess:
                return on_kernel(block)(guess).with_call(groups=many)

            yield f"groups={many} instead of 1, with their part of the kernel", step
