"""Operands of bounds, and the type that a result has."""

from typing import Any

from d2lconv.core import checks, data
from d2lconv.parity import values
from d2lconv.parity.values import Values


def operands(dtype: Any, **named: Any) -> tuple[tuple[Values, ...], str]:
    """The operands, and the name of the type of the result."""
    given = tuple(values.read(value, name) for name, value in named.items())
    for name, operand in zip(named, given, strict=True):
        checks.matrix(operand.shape, name)
    return given, result_type(dtype, *given)


def result_type(dtype: Any, *operands: Values | None) -> str:
    """The name of a result's type: the one that is given, else the widest one of the operands."""
    own = [t.dtype for t in operands if t is not None and t.dtype is not None]
    widest = max(own, key=data.FLOATS.index, default="float32")
    return widest if dtype is None else data.dtype_name(dtype)
