"""Operands in another order: kernels flipped, channels and groups exchanged."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from d2lconv.parity.guess import Guess
from d2lconv.parity.mistakes.steps import Step, changing, on_image, on_kernel, taking

PLACES = 64  # of a result, in which channels are told from each other
FLIPS = {
    "flipped in both axes": lambda a: a[..., ::-1, ::-1],
    "flipped upside down": lambda a: a[..., ::-1, :],
    "flipped left to right": lambda a: a[..., :, ::-1],
}


def flipped(guess: Guess, result: Any) -> Iterator[Step]:
    """Kernels, or gradients of them, flipped."""
    kh, kw = guess.call.kernel[2:]
    kernel = "a gradient" if guess.call.of == "weight" else "a kernel"
    for words, flip in FLIPS.items():
        if (kh > 1 or "left" in words) and (kw > 1 or "down" in words):
            yield from changing(guess, "kernels", f"{kernel} {words}", flip)


def transposed(guess: Guess, result: Any) -> Iterator[Step]:
    """Height and width exchanged."""

    def exchanged(a: Any) -> Any:
        return a.swapaxes(2, 3)

    kernel = "a gradient" if guess.call.of == "weight" else "a kernel"
    if max(guess.call.kernel[2:]) > 1:
        words = f"{kernel} with height and width exchanged"
        yield from changing(guess, "kernels", words, exchanged)
    if guess.call.X is not None:
        yield "images with height and width exchanged", on_image(exchanged)


def in_and_out(guess: Guess, result: Any) -> Iterator[Step]:
    """In and out channels exchanged."""
    o, per_group = guess.call.kernel[:2]
    kernel = "a gradient" if guess.call.of == "weight" else "a kernel"
    if guess.call.groups == 1 and o > 1 and per_group > 1:
        words = f"{kernel} with its in and out channels exchanged"
        yield from changing(guess, "kernels", words, lambda a: a.swapaxes(0, 1))


def channel_orders(guess: Guess, result: Any) -> Iterator[Step]:
    """Channels in another order."""
    call = guess.call
    (o, per_group), c = call.kernel[:2], call.image[1]
    for words, order in _orders(c):
        yield from _ordered(guess, "images", f"input channels in {words}", order)
    for words, order in _orders(o):
        yield from _ordered(guess, "outputs", f"output channels in {words}", order)
        if call.groups > 1 or call.bias is not None:  # which stay where they are
            yield from _ordered(guess, "kernels", f"kernels in {words}", order, axis=0)
    if call.image[2:] == (1, 1):  # a dense layer's
        for a in range(2, c):
            if c % a == 0:
                words = f"(h, w, c) for (c, h, w) of {a} channels, or the reverse of {c // a}"
                words = f"features flattened in the other order, {words}"
                yield from _ordered(guess, "images", words, _interleaved(c, a))
    if call.groups > 1:
        for words, order in _orders(per_group):
            words = f"input channels of each group in {words}"
            yield from _ordered(guess, "kernels", words, order)


def _ordered(guess: Guess, what: str, words: str, order: Any, axis: int = 1) -> Iterator[Step]:
    """Images, kernels or outputs whose elements along an axis are in this order."""
    back = taking(np.argsort(order), axis)
    return changing(guess, what, words, taking(order, axis), back)


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
    if c > groups:
        for step in sorted({groups, c // groups}):
            words = f"groups of every {step}th channel instead of neighbours"
            yield from _ordered(guess, "images", words, _interleaved(c, c // step))
    if o > groups:
        what = "the multiplier" if c == groups else "the groups"
        for size in sorted({groups, o // groups}):
            words = f"with {what} in the other order"
            order = _interleaved(o, size)
            yield from _ordered(guess, "outputs", f"output channels {words}", order)
            yield from _ordered(guess, "kernels", f"kernels {words}", order, axis=0)
    places = np.arange(groups)
    orders = {"groups in reverse order": places[::-1]}
    if groups > 2:
        for by in (1, -1):
            orders[f"groups moved on by {by}"] = np.roll(places, by)
    for words, order in orders.items():
        for what, n, axis in (("images", c, 1), ("kernels", o, 0)):
            whole = np.arange(n).reshape(groups, -1)[order].ravel()
            yield from _ordered(guess, what, f"{words}, of {what}", whole, axis)


def any_order(guess: Guess, result: Any) -> Iterator[Step]:
    """Output channels in any order: each is that of the right result which is nearest."""
    call = guess.call
    if result.shape != call.shape or call.shape[1] < 3 or not np.isfinite(result).all():
        return
    o = call.shape[1]
    each = [t.swapaxes(0, 1).reshape(o, -1)[:, :PLACES] for t in (result, guess.call.terms().value)]
    off = np.square(each[0][:, None] - each[1][None]).sum(-1)
    order = off.argmin(1)
    if len(set(order.tolist())) == o and (order != np.arange(o)).any():
        first = np.flatnonzero(order != np.arange(o))[0]
        words = f"output channels in another order (channel {first} is {order[first]})"
        yield from _ordered(guess, "outputs", words, order)


def any_groups(guess: Guess, result: Any) -> Iterator[Step]:
    """Groups that see any groups of the images: each those that come nearest."""
    call = guess.call
    groups, c = call.groups, call.image[1]
    if not 1 < groups <= PLACES or result.shape != call.shape or not np.isfinite(result).all():
        return
    channels = np.arange(c).reshape(groups, -1)

    def seeing(order: Any) -> Any:
        return on_image(taking(channels[order].ravel()))

    off = []
    for group in range(groups):
        value = seeing(np.full(groups, group))(guess).call.terms().value
        off.append(np.square(result - value).swapaxes(0, 1).reshape(groups, -1).sum(1))
    order = np.argmin(off, 0)
    if (order != np.arange(groups)).any():
        yield (
            f"groups that see those of the images in the order {tuple(order.tolist())}",
            (seeing(order)),
        )


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
