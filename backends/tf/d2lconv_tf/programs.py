"""TensorFlow's compilers: how they are kept out of the exact form, and how it uses them itself.

XLA fuses a product with the addition after it, and rounds once instead of twice. Grappler regroups
chains of additions, and both regroup across the boundary of a call: what a caller multiplies by
before, or after, merges with what is multiplied here. In eager code nothing of that happens. In a
caller's graph, guards and barriers of the same kind stop it: a maximum with a minus infinity that
no compiler knows to be one, because it is NaN where the other operand is.

A program of our own, for shapes that come back often, has a quicker way: it gets a 1 when it runs.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import tensorflow as tf

from d2lconv_tf.private import quick_call, recording

Tensor = Any

CALLS = 16  # after so many calls a plan is compiled: compiling takes as long as about a hundred
PROGRAMS = 32  # are compiled at most, while they are in use; the others go on step by step

_one: ContextVar[Tensor | None] = ContextVar("d2lconv_tf_one", default=None)
_programs: WeakSet[Any] = WeakSet()


def in_program() -> bool:
    """Whether a program of our own is being traced."""
    return _one.get() is not None


def barrier(t: Tensor) -> Tensor:
    """The tensor, such that no compiler merges what comes before with what comes after."""
    if tf.executing_eagerly() or in_program():
        return t
    return tf.maximum(t, tf.minimum(t, float("-inf")))


def times(x: Tensor, k: Tensor) -> Tensor:
    """X * k, rounded before anything is added to it.

    In a program of our own, x * k * 1 has these bits also if XLA fuses what is last with a sum: the
    first product is rounded before, and the second one is exact. A 1 that XLA knew it would drop.
    """
    product, one = x * k, _one.get()
    if one is not None:
        return product * one
    if tf.executing_eagerly():
        return product
    return tf.maximum(product, tf.minimum(tf.minimum(x, k), float("-inf")))


def plus(Y: Tensor, t: Tensor) -> Tensor:
    """Y + t, with a copy behind it, so that Grappler does not make it part of a longer sum."""
    total = Y + t
    if tf.executing_eagerly() or in_program():
        return total
    return tf.raw_ops.Snapshot(input=total)


def compiled(run: Callable[..., Tensor], *, fuses: bool) -> Callable[..., Tensor]:
    """A function of tensors of certain shapes, as a program after a number of calls.

    So TensorFlow is asked once instead of for every operation, which takes longer than a small one.
    A caller's own graph, and what is differentiated, goes step by step as before.

    Args:
        run: The function.
        fuses: Whether XLA may compile it; it gets the 1 that the exact form needs.
    """
    calls: Counter[Any] = Counter()
    programs: dict[Any, Callable[..., Tensor]] = {}

    def call(*tensors: Tensor) -> Tensor:
        if not tf.executing_eagerly() or recording():
            return run(*tensors)
        dtype = tensors[0].dtype
        program = programs.get(dtype)
        if program is not None:
            return program(*tensors)
        calls[dtype] += 1
        if calls[dtype] <= CALLS or len(_programs) >= PROGRAMS:
            return run(*tensors)
        programs[dtype] = _program(run, tensors, fuses)
        _programs.add(programs[dtype])
        return programs[dtype](*tensors)

    return call


def _program(run: Callable[..., Tensor], tensors: Any, fuses: bool) -> Callable[..., Tensor]:
    one = tf.ones((), tensors[0].dtype)

    def traced(one: Tensor, *tensors: Tensor) -> Tensor:
        with _given(one):
            return run(*tensors)

    graph = tf.function(traced, autograph=False, jit_compile=fuses)
    specs = [tf.TensorSpec(t.shape, t.dtype) for t in (one, *tensors)]
    quick = quick_call(graph.get_concrete_function(*specs))
    return lambda *tensors: quick(one, *tensors)


@contextmanager
def _given(one: Tensor) -> Iterator[None]:
    token = _one.set(one)
    try:
        yield
    finally:
        _one.reset(token)
