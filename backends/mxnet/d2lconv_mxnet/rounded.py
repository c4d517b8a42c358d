"""The correctly rounded result in MXNet: the shared code, called on the host."""

from functools import wraps
from typing import Any

from d2lconv.core.derivatives import Operation, Rule
from d2lconv_mxnet.tensors import Tensor

from mxnet import np  # isort: skip


def on_host(function: Operation, shape: Rule) -> Operation:
    """A function of NumPy arrays and, last, a fixed argument, for arrays on any device."""

    @wraps(function)
    def call(*inputs: Any) -> Tensor:
        *tensors, fixed = inputs
        values = function(*(t.asnumpy() for t in tensors), fixed)
        return np.array(values, dtype=values.dtype, ctx=tensors[0].ctx)

    return call
