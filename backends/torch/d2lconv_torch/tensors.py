"""What a tensor is in PyTorch: a dense one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter

from d2lconv.core import ownership
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import check_usable, float_type, to_array

F = TypeVar("F", bound=Callable[..., Any])
ownership.by_type.update({Tensor: "torch", Parameter: "torch"})  # PyTorch's compiler cannot ask
_FLOATS = frozenset((torch.float16, torch.float32, torch.float64))


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new tensor with the values of data."""
    if isinstance(data, Tensor):
        check_usable(unusable(data))
        return data.to(getattr(torch, float_type(dtype_name(data), dtype)), copy=True)
    if compiling() and isinstance(data, np.ndarray):
        return tensor(torch.as_tensor(data), dtype)
    if compiling():
        return tensor(torch.tensor(data, dtype=torch.float64), dtype or "float32")
    return torch.from_numpy(to_array(data, dtype))


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    t = t.detach().cpu().resolve_neg()
    try:
        return to_array(t.numpy())
    except RuntimeError:  # under torch.func.grad, whose tensors tell their values one by one
        return to_array(np.array(t.tolist(), dtype_name(t)).reshape(t.shape))


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return str(t.dtype).removeprefix("torch.")


def shape(t: Tensor) -> tuple[int, ...]:
    """The sizes of a tensor."""
    return t.shape


def unusable(t: Any) -> str | None:
    """What a value of PyTorch is that is no dense tensor; None if it is one."""
    if isinstance(t, UninitializedParameter | UninitializedBuffer):
        return "a parameter that is not initialized"
    if isinstance(t, torch.masked.MaskedTensor):
        return "a masked tensor"
    if isinstance(t, Tensor) and t.is_quantized:
        return "a quantized tensor"
    if isinstance(t, Tensor) and (t.is_nested or t.layout != torch.strided):
        return "a nested tensor" if t.is_nested else f"a tensor of the layout {t.layout}"
    return None


def has_values(t: Tensor) -> bool:
    """Whether a tensor has values, and not only a shape."""
    if t.is_meta:
        return False
    try:
        t.detach().reshape(-1)[:1].tolist()
    except RuntimeError:  # under torch.vmap, or one of a compiler's
        return False
    return True


def ready(*tensors: Any) -> bool:
    """Whether tensors can be used as they are. Every call asks, so it is quick."""
    dtype = None
    for t in tensors:
        plain = type(t) is Tensor or type(t) is Parameter
        if not plain and (not isinstance(t, Tensor) or unusable(t)):
            return False
        if t.layout != torch.strided or t.is_nested:
            return False
        if dtype is None:
            dtype = t.dtype
        elif t.dtype != dtype:
            return False
    return dtype in _FLOATS


def compiling() -> bool:
    """Whether torch.compile or torch.export is reading our Python code."""
    return torch.compiler.is_compiling()


def cast(t: Tensor, dtype: str) -> Tensor:
    """The tensor in another floating type; the tensor itself if it has that type."""
    return t.to(getattr(torch, dtype))


def reshape(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same elements in another shape."""
    return t.reshape(shape)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new tensor."""
    return t.T.clone(memory_format=torch.contiguous_format)


def without_autocast(t: Tensor) -> AbstractContextManager[object]:
    """A block in which PyTorch computes in the type of the operands, whatever torch.autocast says.

    Args:
        t: A tensor on the device in question.
    """
    kind = t.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return nullcontext()


def recorded(function: F) -> F:
    """The function, in which PyTorch records what is to be differentiated, whatever is set outside.

    Tensors of inference mode, which come from there, have to be copied: they cannot be recorded.
    """
    return torch.inference_mode(False)(torch.enable_grad()(function))


def flip(K: Tensor) -> Tensor:
    """The kernels with rows and columns in reverse order."""
    return K.flip(-2, -1)


def integers(data: Any) -> Tensor:
    """A new tensor of 32-bit integers, of a NumPy array of integers."""
    if compiling():  # which has not been checked to be of integers
        return torch.as_tensor(data)
    return torch.from_numpy(np.array(data, np.int32))
