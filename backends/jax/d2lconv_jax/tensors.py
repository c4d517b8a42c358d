"""What a tensor is in JAX: an array, or what stands for one while a function is traced."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array as Tensor

from d2lconv.core.contract import FloatArray
from d2lconv.core.data import FLOATS, check_usable, float_type, to_array
from d2lconv.errors import BackendBroken, DTypeError, ShapeError
from d2lconv_jax.private import enable_x64, is_compiled, outside

FLOAT64 = np.dtype("float64")
_FLOATS = frozenset(map(np.dtype, FLOATS))
P = ParamSpec("P")
R = TypeVar("R")


def wide(function: Callable[P, R]) -> Callable[P, R]:
    """The function, keeping float64.

    JAX narrows float64 to float32 unless a switch is on. It is turned on for the length of a call
    with a float64 argument, in the calling thread, and for no other call.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for arg in args:
            dtype = getattr(arg, "dtype", None)
            if dtype is not None and dtype == FLOAT64:  # NumPy takes None for float64
                with enable_x64(True):
                    return function(*args, **kwargs)
        return function(*args, **kwargs)

    return call


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new array with the values of data."""
    if isinstance(data, Tensor):
        check_usable(unusable(data))
        return wide(jnp.array)(cast(data, float_type(dtype_name(data), dtype)))
    array = to_array(data, dtype)
    try:
        return wide(jnp.array)(array)
    except RuntimeError as error:
        if "Unable to initialize backend" not in str(error):
            raise
        raise BackendBroken(
            f"JAX has no device to compute on: {error}. Set JAX_PLATFORMS to cpu, or to nothing."
        ) from error


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(jax.device_get(t))


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return str(t.dtype.name)


def shape(t: Tensor) -> tuple[int | None, ...]:
    """The sizes of an array; None for one that jax.export has a symbol for."""
    if isinstance(t, jax.core.Tracer):
        return tuple(size if isinstance(size, int) else None for size in t.shape)
    return t.shape


def check_known(sizes: tuple[Any, ...], what: str) -> None:
    """Check that sizes are no symbols of jax.export, given what needs to know them."""
    for size in sizes:
        if not isinstance(size, int):
            raise ShapeError(
                f"{what} needs sizes that are known when the call is traced, and {size} is a "
                "symbol of jax.export. Export it for a number."
            )


def unusable(t: Any) -> str | None:
    """What a value of JAX is that is no array; None if it is one."""
    if isinstance(t, jax.core.Tracer):
        leaked = "a value of a function that was traced, outside of it: return it from there"
        return leaked if outside() else None
    if isinstance(t, Tensor):
        return "an array whose memory was given away" if t.is_deleted() else None
    return f"a {type(t).__name__}" if hasattr(t, "dtype") else None


def has_values(t: Tensor) -> bool:
    """Whether an array has values, which it has not while a function is traced."""
    return not isinstance(t, jax.core.Tracer)


def ready(*tensors: Any) -> bool:
    """Whether arrays can be used as they are. Every call asks, so it is quick."""
    dtype = None
    for t in tensors:
        if not isinstance(t, Tensor) or isinstance(t, jax.core.Tracer) or t.is_deleted():
            return False
        if dtype is None:
            dtype = t.dtype
        elif t.dtype != dtype:
            return False
    return dtype in _FLOATS


def compiling() -> bool:
    """Whether a compiler is reading our Python code: there is none here that does."""
    return False


def cast(t: Tensor, dtype: str) -> Tensor:
    """The array in another floating type; the array itself if it has that type."""
    is_wide: bool = jax.config.jax_enable_x64  # type: ignore[attr-defined]
    if dtype == "float64" and not is_wide and is_compiled(t):
        raise DTypeError(
            "float64 in a function that JAX compiles needs JAX's own switch around it: "
            "jax.config.update('jax_enable_x64', True). Or call it outside of jax.jit."
        )
    if isinstance(t, Tensor) and t.dtype == dtype:
        return t
    with enable_x64(True):
        return jnp.asarray(t, dtype)


def reshape(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same elements in another shape."""
    return t.reshape(shape)


@wide
def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new array."""
    return jnp.array(t.T)


@wide
def flip(K: Tensor) -> Tensor:
    """The kernels with rows and columns in reverse order."""
    return K[..., ::-1, ::-1]


def integers(data: Any) -> Tensor:
    """A new array of 32-bit integers, of a NumPy array of integers."""
    return jnp.array(data, jnp.int32)
