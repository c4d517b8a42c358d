"""What a tensor is in NumPy: an array."""

from typing import Any

import numpy as np

from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.data import FLOATS, to_array

_FLOATS = frozenset(map(np.dtype, FLOATS))


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new array with the values of data."""
    return to_array(data, dtype)


def to_numpy(t: Tensor) -> Tensor:
    """A new array with the values of t."""
    return to_array(t)


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return t.dtype.name


def shape(t: Tensor) -> tuple[int, ...]:
    """The sizes of an array."""
    return t.shape


def unusable(t: Any) -> str | None:
    """What a value is that is no dense array; None, because NumPy has no others."""
    return None


def has_values(t: Tensor) -> bool:
    """Whether an array has values, which it always has."""
    return True


def ready(*tensors: Any) -> bool:
    """Whether arrays can be used as they are. Every call asks, so it is quick."""
    first = tensors[0]
    for t in tensors:
        if type(t) is not np.ndarray or t.dtype != first.dtype or t.dtype not in _FLOATS:
            return False
    return True


def compiling() -> bool:
    """Whether a compiler is reading our Python code: there is none here that does."""
    return False


def cast(t: Tensor, dtype: str) -> Tensor:
    """The array in another floating type; the array itself if it has that type."""
    return t.astype(dtype, copy=False)


def reshape(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same elements in another shape."""
    return t.reshape(shape)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new array."""
    return t.T.copy()


def flip(K: Tensor) -> Tensor:
    """The kernels with rows and columns in reverse order."""
    return K[..., ::-1, ::-1]


def integers(data: Any) -> Any:
    """A new array of 32-bit integers, of a NumPy array of integers."""
    return np.array(data, np.int32)
