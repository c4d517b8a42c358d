"""From what users pass to what backends compute with: one set of rules, and of words, for all.

Every backend takes its input from here, so that a mistake gets the same error and the same words
whichever framework serves the call. Nothing in this module imports a framework.
"""

from typing import Any, Final

import numpy as np

from d2lconv.core import checks, ownership, registry
from d2lconv.core.contract import FloatArray
from d2lconv.core.protocols import Tensors
from d2lconv.core.registry import Backend
from d2lconv.errors import ArgumentError, DTypeError, ShapeError

FLOATS: Final = ("float16", "float32", "float64")
ALLOWED: Final = (
    "Allowed are float16, float32 and float64, and integers and booleans (used as float32)"
)


def operands(backend: Backend, **data: Any) -> list[Any]:
    """The named arguments as tensors of one backend and one floating type.

    Tensors of the backend are used as they are, so that gradients flow through them; anything
    else becomes a tensor. Of two floating types the wider one is used. Data without a floating
    type (lists, Python numbers, integers, booleans) takes the type of the others, float32 if
    there is none.

    Raises:
        ShapeError: An argument is ragged, or its number of dimensions is not known.
        DTypeError: An argument is complex, text, or something else that is no number.
        MixedBackendsError: An argument belongs to another framework.
    """
    tensors = backend.tensors
    native = {name: ownership.backend_of(value) for name, value in data.items()}
    given, dtypes = {}, []
    for name, value in data.items():
        if native[name] is None and tensors.compiling():  # it reads lists, and no NumPy
            typed = type(value) is np.ndarray
            given[name] = tensors.tensor(value, None if typed else "float64")
            dtype = tensors.dtype_name(given[name]) if typed else None
        elif native[name] is None:
            given[name], dtype = neutral(value, name)
        elif native[name] == backend.name:
            check_usable(tensors.unusable(value), name)
            _check_tensor(value, name)
            _check_rank(tensors, value, name)
            given[name], dtype = value, _floating(tensors.dtype_name(value), name)
        else:
            own = backend.name in native.values()
            raise ownership.mixed(native if own else {**native, "the call": backend.name})
        if dtype is not None:
            dtypes.append(dtype)
    dtype = max(dtypes, key=FLOATS.index, default="float32")
    return [
        tensors.tensor(value, dtype) if native[name] is None else tensors.cast(value, dtype)
        for name, value in given.items()
    ]


def integers(backend: Backend, value: Any, name: str) -> Any:
    """Integers as a tensor of the backend: labels, say.

    Raises:
        DTypeError: It holds something else.
        MixedBackendsError: It belongs to another framework.
    """
    native = ownership.backend_of(value)
    if native is None and backend.tensors.compiling():
        value, native = backend.tensors.integers(value), backend.name
    if native is None:
        array, _ = neutral(value, name)
        kind, dtype = array.dtype.kind, array.dtype.name
        fitting = kind in "iu" and (not array.size or abs(array).max() < 2**31)
    else:
        if native != backend.name:
            raise ownership.mixed({name: native, "the call": backend.name})
        check_usable(backend.tensors.unusable(value), name)
        _check_tensor(value, name)
        _check_rank(backend.tensors, value, name)
        dtype = backend.tensors.dtype_name(value)
        fitting = dtype.startswith(("int", "uint"))
    if not fitting:
        raise DTypeError(
            f"{name} holds {dtype}. Allowed are integers, in 32 bits; cast it to int32 first."
        )
    return value if native else backend.tensors.integers(array)


def neutral(data: Any, name: str = "data") -> tuple[np.ndarray[Any, Any], str | None]:
    """Data of no framework as a NumPy array, with its floating type or None if it has none."""
    foreign = ownership.backend_of(data)
    if foreign is not None:
        _check_tensor(data, name)
        raise ownership.mixed({name: foreign, "the call": "another backend"})
    if isinstance(data, np.ma.MaskedArray) and np.any(data.mask):
        raise DTypeError(f"{name} holds masked elements. Fill them first: {name}.filled(0).")
    plain = any(type(data) is kind for kind in ownership.PLAIN)
    if not plain and "PIL" in ownership.roots(type(data)):
        raise DTypeError(
            f"{name} is a picture of Pillow, whose numbers may be indices of a palette. Pass "
            f"dc.load_image({name}), a grey image from 0 to 1; or, for its colours, "
            f"np.moveaxis(np.asarray({name}.convert('RGB')), -1, 0) / 255."
        )
    try:
        array = np.asarray(data)
    except MemoryError:
        raise
    except Exception as error:  # an object may raise anything while it is converted
        if "inhomogeneous" in str(error):
            raise ShapeError(
                f"{name} is ragged: its rows differ in length. "
                "Give every row the same number of elements."
            ) from None
        raise DTypeError(
            f"{name} is a {type(data).__name__} that does not convert to an array ({error}). "
            f"{ALLOWED}, as nested lists or arrays."
        ) from error
    kind = array.dtype.kind
    if kind in "iub":
        return array, None
    if kind == "f" and array.dtype.name in FLOATS:
        return array, array.dtype.name if hasattr(data, "__array__") else None
    if kind == "O":
        other = [type(value).__name__ for value in array.flat if not checks.is_real(value)]
        if array.size and not other:  # integers beyond 64 bits, fractions
            try:
                return array.astype(np.float64), None
            except OverflowError:
                raise DTypeError(
                    f"{name} holds a number beyond the largest float64. {ALLOWED}."
                ) from None
        found = other[0] if other else "object"
    else:
        found = {"U": "text", "S": "bytes"}.get(kind, array.dtype.name)
    raise _refused(name, found)


def to_array(data: Any, dtype: Any = None, name: str = "data") -> FloatArray:
    """Neutral data as a NumPy array of its own memory and of a floating type.

    Args:
        data: Anything that NumPy makes an array of.
        dtype: The type of the result; None keeps a floating type and makes all else float32.
        name: What the data is called in messages.
    """
    array, own = neutral(data, name)
    with np.errstate(over="ignore"):  # beyond the largest number of the type lies infinity
        return np.array(array, dtype=own or "float32" if dtype is None else dtype_name(dtype))


def detached(data: Any, name: str = "data") -> FloatArray:
    """A NumPy copy of a tensor of any framework, or of neutral data."""
    backend = ownership.backend_of(data)
    if backend is None:
        return to_array(data, name=name)
    tensors = registry.load(backend).tensors
    check_usable(tensors.unusable(data), name)
    _check_tensor(data, name)
    check_values(tensors, data, name)
    _floating(tensors.dtype_name(data), name)
    return tensors.to_numpy(data)


def dtype_name(dtype: Any) -> str:
    """The name of a floating type given as a string, a NumPy type or a framework's type."""
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    name = str(name).rpartition(".")[2]
    if name not in FLOATS:
        raise DTypeError(f"dtype {dtype!r} is not supported. Allowed are {', '.join(FLOATS)}.")
    return name


def float_type(own: str, wanted: Any = None) -> str:
    """The floating type of a tensor's copy: the wanted one, else its own, else float32."""
    floating = _floating(own, "data")
    return floating or "float32" if wanted is None else dtype_name(wanted)


def _floating(dtype: str, name: str) -> str | None:
    """A native type that is allowed: its name if it is a floating one, None if it is not."""
    if dtype in FLOATS:
        return dtype
    if dtype.startswith(("int", "uint", "bool")):
        return None
    raise _refused(name, dtype)


def _refused(name: str, found: str) -> DTypeError:
    """The error for elements of a type that is not allowed."""
    why = ""
    if found == "bfloat16":
        why = (
            " NumPy, which every result is held to, has no bfloat16: cast it to float32, and the "
            "result back, which rounds it once."
        )
    return DTypeError(f"{name} holds {found}. {ALLOWED}.{why}")


def check_usable(what: str | None, name: str = "data") -> None:
    """Check that a value of a framework is a dense tensor of it, given what else it is."""
    if what is not None:
        raise DTypeError(f"{name} is {what}. Allowed are dense tensors; convert it to one first.")


def check_values(tensors: Tensors, value: Any, name: str) -> None:
    """Check that a native tensor has values that can be looked at."""
    if not tensors.has_values(value):
        raise ArgumentError(
            f"{name} has no values here, only a shape and a type, as in a function that is being "
            "traced or compiled. Do this outside of it."
        )


def _check_rank(tensors: Tensors, value: Any, name: str) -> None:
    try:
        tensors.shape(value)
    except ValueError:  # not even the number of dimensions is known
        raise ShapeError(
            f"{name} has no known shape; its sizes must be known when the call is traced."
        ) from None


def _check_tensor(value: Any, name: str) -> None:
    if not (hasattr(value, "shape") and hasattr(value, "dtype")):
        raise DTypeError(f"{name} is a {type(value).__name__}, which is no tensor. {ALLOWED}.")
