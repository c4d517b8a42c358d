"""Rounding a product before it is added to something, whatever XLA would like to do.

XLA may fuse a product with the addition after it and round once instead of twice. There are two
ways to hinder it.

**Where nothing is traced** we compile a program of our own, and pass it the number 1 when it runs:
``Y + x * k * 1`` has the same bits whether XLA fuses the last product or not, for the first one is
rounded before, and the second one is exact. XLA drops a 1 that it knows; it does not know this one.

**In a function that a user compiles** nothing can be passed: there, the maximum of the product and
minus infinity stands between it and the addition, and changes no value. XLA would drop it if it
knew that it is minus infinity; min(x, k, -inf) is not known to be, because it is NaN where x or k
is, and there the product is NaN too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array as Tensor

from d2lconv_jax.private import enable_x64
from d2lconv_jax.tensors import FLOAT64, tensor

Operation = Callable[..., Any]

_one: ContextVar[Tensor | None] = ContextVar("one", default=None)


def alone(function: Operation) -> Operation:
    """A function of tensors of one type, compiled as a program of our own."""

    @jax.jit
    def program(one: Tensor, *tensors: Tensor) -> Any:
        with _passing(one):
            return function(*tensors)

    def call(*tensors: Tensor) -> Any:
        dtype = tensors[0].dtype
        if dtype == FLOAT64:
            with enable_x64(True):
                return program(_ones(dtype), *tensors)
        return program(_ones(dtype), *tensors)

    return call


_on_host: set[Operation] = set()


def on_host(function: Operation) -> Operation:
    """Mark a function that computes on the host, and is not to be compiled by itself."""
    _on_host.add(function)
    return function


def is_on_host(function: Operation) -> bool:
    """Whether a function is marked so."""
    return function in _on_host


def is_alone() -> bool:
    """Whether a program of our own is being traced."""
    return _one.get() is not None


@contextmanager
def _passing(one: Tensor) -> Iterator[None]:
    token = _one.set(one)
    try:
        yield
    finally:
        _one.reset(token)


@cache
def _ones(dtype: Any) -> Tensor:
    return tensor(1, dtype)


def product(x: Tensor, k: Tensor) -> Tensor:
    """X * k, rounded before anything is added to it."""
    x, k = _of_one_rank(x, k)
    one = _one.get()
    if one is not None:
        return x * k * one
    return jnp.maximum(x * k, jnp.minimum(jnp.minimum(x, k), -jnp.inf))


def rounded_before(x: Tensor) -> Tensor:
    """X, rounded before anything is added to it: it may be a product that a caller has computed."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x
    return jnp.maximum(x, jnp.minimum(x, -jnp.inf))


def quotient(x: Tensor, counts: Tensor) -> Tensor:
    """X / counts, divided by a number that XLA does not know, and another one for each element.

    It makes the division by a known number, and since JAX 0.10 by one number for many elements, a
    product with a rounded reciprocal.
    """
    x, counts = _of_one_rank(x, counts)
    return x / jnp.maximum(counts, jnp.minimum(x, -jnp.inf))


def _of_one_rank(*tensors: Tensor) -> list[Tensor]:
    """The tensors with as many axes each, which jax_numpy_rank_promotion may ask for."""
    rank = max(t.ndim for t in tensors)
    return [t.reshape((1,) * (rank - t.ndim) + t.shape) for t in tensors]
