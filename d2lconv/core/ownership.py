"""Whose tensor is this? Asked of types alone, so that no framework is imported to answer."""

from typing import Any

import numpy as np

from d2lconv.core import registry
from d2lconv.errors import MixedBackendsError

# Neutral data of every day; answered here, so that compilers of Python code need not ask a type.
PLAIN = (list, tuple, int, float, bool, np.ndarray)
by_type: dict[type, str | None] = dict.fromkeys(PLAIN)


def backend_of(value: Any) -> str | None:
    """The backend whose native tensor the value is, None for neutral data.

    Decided by the root modules of the value's type and its bases, so that subclasses, variables
    and tracers are recognised and no framework is imported to ask.
    """
    kind = type(value)
    try:
        return by_type[kind]
    except KeyError:
        by_type[kind] = found = _of_type(kind)
        return found
    except TypeError:  # the type of the type may be one without a hash
        return _of_type(kind)


def _of_type(kind: type) -> str | None:
    own = roots(kind)
    found = (m.name for m, _ in registry.manifests().values() if own & set(m.type_roots))
    return next(found, None)


def roots(kind: type) -> set[str]:
    """The root modules of a type and its bases."""
    try:
        return {str(base.__module__).partition(".")[0] for base in kind.__mro__}
    except Exception:  # the type of the type may answer with anything; that of no framework does
        return set()


def mixed(native: dict[str, str | None]) -> MixedBackendsError:
    """The error for arguments of different backends, given as argument -> backend."""
    found = [f"{name} is of {backend}" for name, backend in native.items() if backend is not None]
    return MixedBackendsError(
        f"{' and '.join(found)}: one call runs in one framework. "
        "Convert with dc.to_numpy(...), which every backend takes."
    )
