"""Other numbers: bias, relu, factors, and types that are narrower."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from d2lconv.parity.bounds.roundoff import gamma
from d2lconv.parity.call import Call
from d2lconv.parity.guess import Guess
from d2lconv.parity.mistakes.steps import Step, calling, on_kernel
from d2lconv.parity.precision import BITS, narrowed
from d2lconv.parity.values import Values


def bias(guess: Guess, result: Any) -> Iterator[Step]:
    """No bias, or another."""
    call = guess.call
    if call.bias is None:
        return
    bias = call.bias.wide()
    yield "no bias", calling(bias=None)
    yield "the bias added twice", calling(bias=Values(2 * bias, None))
    yield "the bias subtracted", calling(bias=Values(-bias, None))


def other_bias(guess: Guess, result: Any) -> Iterator[Step]:
    """The bias of other channels."""
    call, added = guess.call, _added(guess, result)
    if call.bias is None or added is None:
        return
    bias = call.bias.wide()
    taken = np.abs(added[:, None] - bias).argmin(1)
    first = np.flatnonzero(bias[taken] != bias)
    if len(first):
        words = f"the bias of other channels (channel {first[0]} has that of {taken[first[0]]})"
        yield words, calling(bias=Values(bias[taken], None))


def some_bias(guess: Guess, result: Any) -> Iterator[Step]:
    """The bias that fits best, whatever it is, if it is more than what rounding explains."""
    added = _added(guess, result)
    if added is None or result.size < 8 * len(added):
        return
    terms = guess.call.terms()
    change = added if guess.call.bias is None else added - guess.call.bias.wide()
    if np.abs(change).max() > gamma(terms.count, "float32") * terms.size.max():
        what = "a bias" if guess.call.bias is None else "another bias"
        words = f"{what} (channel 0 has {added[0]:.6g})"
        yield words, calling(bias=Values(added, None))


def _added(guess: Guess, result: Any) -> Any:
    """What was added to each channel's sums, by its median; None where that cannot be told."""
    found = guess.undone(result)
    if found is None:
        return None
    sums = replace(guess.call, bias=None).terms().value
    with np.errstate(all="ignore"):
        middle = np.median(found / guess.scale - sums, axis=(0, 2, 3))
    return middle if np.isfinite(middle).all() else None


def relu(guess: Guess, result: Any) -> Iterator[Step]:
    """Negative results are 0; behind a change of sign, there are no positive ones."""
    if (result == 0).any() and not ((result < 0).any() and (result > 0).any()):
        yield "relu applied to the result", lambda guess: replace(guess, relu=True)


def scaled(guess: Guess, result: Any) -> Iterator[Step]:
    """A factor that people forget, or have too often."""
    call = guess.call
    factors = [(words, factor) for words, factor in (*FACTORS, *_means(call)) if factor != 1]
    for words, factor in factors:
        yield words, partial(_times, factor=factor)
    if call.bias is not None and call.K is not None:
        for words, factor in factors:
            yield (
                f"{words}, before the bias is added",
                on_kernel(partial(_product, factor=factor)),
            )


FACTORS = (
    ("the sign changed", -1.0),
    ("a factor of 2", 2.0),
    ("a factor of 1/2", 1 / 2),
    ("a factor of 1/255", 1 / 255),
    ("a factor of 255", 255.0),
)


def _means(call: Call) -> Iterator[tuple[str, float]]:
    """Means for sums, over whatever it may be; one mean for each number of terms."""
    o, per_group, kh, kw = call.kernel
    n, H, W = call.image[0], *call.size
    counts: dict[int, str] = {}
    if call.of == "output":
        many = per_group * kh * kw
        counts[many] = "the mean for the sum"
        if many > 2:
            yield f"a division by {many - 1} instead of {many}", many / (many - 1)
            yield f"a division by {many} instead of {many - 1}", (many - 1) / many
        counts.setdefault(kh * kw, "the mean over the window")
        counts.setdefault(per_group, "the mean over the channels")
        counts.setdefault(H * W, "the mean over height and width")
    else:
        counts[n] = "the mean over the batch for the sum"
        counts.setdefault(n * H * W, "the mean for the sum")
        counts.setdefault(n * o * H * W, "the mean for the sum")
        counts.setdefault(H * W, "the mean over height and width for the sum")
        for count in (n, n * o, n * H * W, n * o * H * W):
            if count > 2:
                yield f"the mean of squares' factor, 2/{count}", 2 / count
    for count, words in counts.items():
        yield f"{words}, a factor of 1/{count}", 1 / count


def _times(guess: Guess, factor: float) -> Guess:
    return replace(guess, scale=guess.scale * factor)


def _product(a: Any, factor: float) -> Any:
    return a.astype(np.float64) * factor


def some_factor(guess: Guess, result: Any) -> Iterator[Step]:
    """The factor that fits best, whatever it is."""
    found = guess.undone(result)
    if found is None or result.size < 4 or not np.isfinite(found).all():
        return
    value = guess.call.ours(guess.call.terms().value)
    with np.errstate(all="ignore"):
        factor = float((found * value).sum() / np.square(value).sum())
    if math.isfinite(factor) and factor not in (0, 1):
        yield f"a factor of {factor:.6g}", partial(_times, factor=factor)


def rounded(guess: Guess, result: Any) -> Iterator[Step]:
    """Operands of a narrower type."""
    if guess.call.of != "output" and not result.any():
        return  # small gradients are zeros in some types; and more often they are lost
    names = {"X": guess.call.X, "K": guess.call.K, "G": guess.call.G}
    there = [name for name, operand in names.items() if operand is not None]
    sets = [there, *([name] for name in there)] if len(there) > 1 else [there]
    for kind, change in CASTS.items():
        for chosen in sets:
            words = f"{' and '.join(chosen)} {kind}"
            yield words, partial(_cast, chosen=chosen, change=change)


def _cast(guess: Guess, chosen: list[str], change: Callable[[Any], Any]) -> Guess:
    with np.errstate(all="ignore"):
        changed = {name: Values(change(getattr(guess.call, name).wide()), None) for name in chosen}
    return guess.with_call(**changed)


CASTS: dict[str, Callable[[Any], Any]] = {
    "rounded to TF32": lambda a: narrowed(a, BITS["tf32"]),
    "cut off to TF32": lambda a: narrowed(a, BITS["tf32"], cut=True),
    "rounded to bfloat16": lambda a: narrowed(a, BITS["bfloat16"]),
    "cut off to bfloat16": lambda a: narrowed(a, BITS["bfloat16"], cut=True),
    "rounded to float16": lambda a: a.astype(np.float16).astype(np.float64),
    "rounded to float32": lambda a: a.astype(np.float32).astype(np.float64),
    "rounded to integers from 0 to 255 (uint8)": lambda a: np.clip(np.rint(a), 0, 255),
    "cut off to integers": np.trunc,
    "cut off to integers from 0 to 255 (uint8)": lambda a: np.clip(np.trunc(a), 0, 255),
    "rounded to 255ths (uint8)": lambda a: np.clip(np.rint(a * 255), 0, 255) / 255,
    "cut off to 255ths (uint8)": lambda a: np.clip(np.trunc(a * 255), 0, 255) / 255,
    "rounded to 127ths of the largest (int8)": lambda a: np.rint(a / _step(a)) * _step(a),
}


def _step(a: Any) -> Any:
    return max(float(np.abs(a).max()), 1e-300) / 127


def summed(guess: Guess, result: Any) -> Iterator[Step]:
    """Sums in a narrower type."""
    for narrow in ("float16", "bfloat16"):
        yield f"sums in {narrow}", partial(_accumulated, narrow=narrow)
    for narrow in ("float16", "bfloat16"):
        words = f"everything in {narrow}, operands and sums"
        yield words, partial(_all_in, narrow=narrow)


def _accumulated(guess: Guess, narrow: str) -> Guess:
    return replace(guess, accumulator=narrow)


def _all_in(guess: Guess, narrow: str) -> Guess:
    there = [name for name in "XKG" if getattr(guess.call, name) is not None]
    return _accumulated(_cast(guess, there, CASTS[f"rounded to {narrow}"]), narrow)
