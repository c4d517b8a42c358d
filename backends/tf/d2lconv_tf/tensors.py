"""What a tensor is in TensorFlow: a dense one."""

from functools import cache
from typing import Any

import keras
import tensorflow as tf

from d2lconv.core.contract import FloatArray
from d2lconv.core.data import check_usable, float_type, to_array

Tensor = Any  # tf.Tensor and tf.Variable, for which TensorFlow ships no types

_FLOATS = tf.float32, tf.float64, tf.float16  # a tuple, because their hashes take long


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new tensor with the values of data."""
    if _is_tensor(data):
        check_usable(unusable(data))
        return tf.cast(tf.identity(data), float_type(dtype_name(data), dtype))
    return tf.constant(to_array(data, dtype))


def _is_tensor(data: Any) -> bool:
    try:
        return bool(tf.is_tensor(data))
    except TypeError:  # its type has no hash, and Python asks for it
        return False


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(t.numpy())


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return str(tf.as_dtype(t.dtype).name)


def shape(t: Tensor) -> tuple[int | None, ...]:
    """The sizes of a tensor; None for one that is not known while a function is traced."""
    return tuple(t.shape)


def unusable(t: Any) -> str | None:
    """What a value of TensorFlow is that is no dense tensor; None if it is one."""
    if isinstance(t, tf.Tensor) and _is_out_of_scope(t):
        return "a symbol of a function that was traced, outside of it: return it from there"
    kind: Any = type(t)
    return _no_tensor(kind)


@cache
def _no_tensor(kind: Any) -> str | None:
    if issubclass(kind, (tf.SparseTensor, tf.RaggedTensor, tf.TypeSpec, keras.KerasTensor)):
        return f"a {kind.__name__}"
    return None


def _is_out_of_scope(t: Tensor) -> bool:
    """Whether a tensor is one of a graph, and that is none of those that are made here."""
    if hasattr(t, "numpy"):  # it has values
        return False
    graph: Any = tf.compat.v1.get_default_graph()
    while graph is not None:
        if graph is t.graph:
            return False
        graph = getattr(graph, "outer_graph", None)
    return True


def has_values(t: Tensor) -> bool:
    """Whether a tensor has values, which it has not while a function is traced."""
    return hasattr(t, "numpy")


def ready(*tensors: Any) -> bool:
    """Whether tensors can be used as they are. Every call asks, so it is quick."""
    dtype = None
    for t in tensors:
        if not isinstance(t, tf.Tensor) or t.shape.rank is None or _is_out_of_scope(t):
            return False
        if dtype is None:
            dtype = t.dtype
        elif t.dtype is not dtype:
            return False
    return dtype in _FLOATS


def compiling() -> bool:
    """Whether a compiler is reading our Python code: there is none here that does."""
    return False


def cast(t: Tensor, dtype: str) -> Tensor:
    """The tensor in another floating type; the tensor itself if it has that type."""
    return tf.cast(tf.convert_to_tensor(t), dtype)


def reshape(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same elements in another shape."""
    return tf.reshape(t, shape)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new tensor."""
    return tf.transpose(t)


def flip(K: Tensor) -> Tensor:
    """The kernels with rows and columns in reverse order."""
    return tf.reverse(K, axis=(-2, -1))


def integers(data: Any) -> Tensor:
    """A new tensor of 32-bit integers, of a NumPy array of integers."""
    return tf.constant(data, tf.int32)
