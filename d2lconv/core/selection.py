"""Which backend serves a call: native tensors decide, neutral data asks.

1. A native tensor among the arguments fixes the backend.
2. Otherwise the innermost ``with dc.backend(...)``, then ``dc.use(...)``, then the environment
   variable ``D2LCONV_BACKEND``, then ``numpy``.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from d2lconv.core import registry
from d2lconv.core.ownership import backend_of, by_type, mixed

VARIABLE = "D2LCONV_BACKEND"

_process: str | None = None
_blocks: ContextVar[tuple["_Block", ...]] = ContextVar("d2lconv_backend", default=())


class _Block:
    """One ``with dc.backend(...)`` that has begun, told apart from others by its identity."""

    def __init__(self, name: str) -> None:
        self.name = name


def use(name: str) -> None:
    """Choose the backend for the whole process.

    Args:
        name: A backend's name or an alias: numpy, torch, tf, mxnet, jax.

    Raises:
        UnknownBackend: There is no such backend.
        BackendNotInstalled: Its framework is not installed.
        BackendBroken: Its framework does not import.

    The choice before stays in force if the new one fails.

    Example:
        >>> import d2lconv as dc
        >>> dc.use("numpy")
        >>> dc.current_backend()
        'numpy'
    """
    global _process
    _process = registry.load(registry.resolve(name)).name


@contextmanager
def chosen(name: str) -> Iterator[str]:
    """Choose the backend of that name or alias for a block of code; gives its name."""
    block = _Block(registry.load(registry.resolve(name)).name)
    _blocks.set((*_blocks.get(), block))
    try:
        yield block.name
    finally:
        _blocks.set(tuple(other for other in _blocks.get() if other is not block))


def current_backend() -> str:
    """The name of the backend that serves a call with neutral data (lists, NumPy arrays).

    Example:
        >>> import d2lconv as dc
        >>> with dc.backend("numpy"):
        ...     dc.current_backend()
        'numpy'
    """
    blocks = _blocks.get()
    chosen = blocks[-1].name if blocks else _process
    if chosen is not None:
        return chosen
    variable = os.environ.get(VARIABLE)
    return registry.resolve(variable, f" in the variable {VARIABLE}") if variable else "numpy"


def choose_for_two(X: Any, K: Any) -> registry.Backend:
    """As :func:`choose`, for an image and a kernel.

    Types that were seen before cost two look-ups and no more: this stands between every call of
    ``corr2d`` and its backend.
    """
    try:
        image, kernel = by_type[type(X)], by_type[type(K)]
    except (KeyError, TypeError):  # not seen before, or of a type without a hash
        return choose(X=X, K=K)
    if image is not None and kernel is not None and image != kernel:
        return choose(X=X, K=K)  # which says what is wrong
    return registry.load(image or kernel or current_backend())


def choose(**arguments: Any) -> registry.Backend:
    """The backend that serves a call with these arguments."""
    native = {name: backend_of(value) for name, value in arguments.items()}
    found = {backend for backend in native.values() if backend is not None}
    if len(found) > 1:
        raise mixed(native)
    return registry.load(found.pop() if found else current_backend())
