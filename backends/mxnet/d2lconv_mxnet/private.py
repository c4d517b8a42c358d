"""What this backend asks of MXNet's private parts, each with an answer that is safe without."""

from collections.abc import Sized
from typing import Any

from d2lconv_mxnet import numpy_view

numpy_view.install()

from mxnet import autograd, nd  # noqa: E402

_mul_scalar = getattr(nd._internal, "_mul_scalar", None)
_slice = getattr(nd.NDArray, "_slice", nd.NDArray.__getitem__)
_registry = getattr(autograd.Function, "_registry", None)


def scaled(A: Any, number: float, out: Any) -> Any:
    """An array of MXNet's older kind times a number, written into another one."""
    if _mul_scalar is not None:
        return _mul_scalar(A, number, out=out)
    return nd.broadcast_mul(A, nd.full((1,), number, dtype=A.dtype, ctx=A.ctx), out=out)


def piece(A: Any, start: int, stop: int) -> Any:
    """A part of an array of MXNet's older kind, of one axis or along the first, sharing memory."""
    return _slice(A, start, stop) if _slice is not nd.NDArray.__getitem__ else A[start:stop]


def functions_left() -> Sized:
    """The autograd functions that MXNet has not dropped yet; none, where it does not tell."""
    return getattr(_registry, "ref_holder", ())
