"""What a tensor is in MXNet: a dense array of its NumPy interface."""

from typing import Any

import numpy

from d2lconv.core.contract import FloatArray
from d2lconv.core.data import check_usable, float_type, to_array
from d2lconv_mxnet import numpy_view

numpy_view.install()

from mxnet import nd, np, npx  # noqa: E402

npx.set_np()  # NumPy semantics, for the whole process: mxnet.np does not work without

Tensor = Any  # mxnet.np.ndarray, for which MXNet ships no types

DENSE = (np.ndarray, nd.NDArray)
_FLOATS = frozenset((numpy.float16, numpy.float32, numpy.float64))
type_of = nd.NDArray.dtype.fget  # as the property of mxnet.np.ndarray, in a third of the time


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new array with the values of data."""
    if isinstance(data, nd.NDArray):
        check_usable(unusable(data))
        data = data.as_np_ndarray()  # MXNet's older kind of array comes too
        return data.astype(float_type(dtype_name(data), dtype), copy=True)
    data = to_array(data, dtype)
    return np.array(data, dtype=data.dtype)


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(t.asnumpy())


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return numpy.dtype(t.dtype).name


def shape(t: Tensor) -> tuple[int, ...]:
    """The sizes of an array."""
    sizes: tuple[int, ...] = t.shape
    return sizes


def unusable(t: Any) -> str | None:
    """What a value of MXNet is that is no dense array; None if it is one."""
    if type(t) in DENSE:
        return None
    if isinstance(t, nd.NDArray):
        return f"an array of the storage type {t.stype!r}"
    return f"a {type(t).__name__}" if hasattr(t, "dtype") else None


def has_values(t: Tensor) -> bool:
    """Whether an array has values, which it always has: symbols are no arrays."""
    return True


def ready(*tensors: Any) -> bool:
    """Whether arrays can be used as they are. Every call asks, so it is quick."""
    dtype = None
    for t in tensors:
        if type(t) is not np.ndarray:
            return False
        own = type_of(t)
        if dtype is None:
            dtype = own
        elif own is not dtype:
            return False
    return dtype in _FLOATS


def compiling() -> bool:
    """Whether a compiler is reading our Python code: there is none here that does."""
    return False


def cast(t: Tensor, dtype: str) -> Tensor:
    """The array in another floating type; the array itself if it has that type."""
    return t.as_np_ndarray().astype(dtype, copy=False)


def reshape(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same elements in another shape."""
    if type(t) is np.ndarray:  # MXNet's older arrays change their shape without a copy
        return t.as_nd_ndarray().reshape(shape).as_np_ndarray()
    return t.reshape(shape)  # a symbol


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new array."""
    return t.T.copy()


def flip(K: Tensor) -> Tensor:
    """The kernels with rows and columns in reverse order."""
    return np.flip(K, (K.ndim - 2, K.ndim - 1))


def integers(data: Any) -> Tensor:
    """A new array of 32-bit integers, of a NumPy array of integers."""
    return np.array(data, dtype="int32")
