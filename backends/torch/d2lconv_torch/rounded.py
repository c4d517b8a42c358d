"""The correctly rounded result in PyTorch: the shared code, with PyTorch's matrix product.

It adds exact products in some order, which is all that the certificate asks for.
"""

from functools import wraps
from typing import Any

import torch
from torch import Tensor

from d2lconv.core.derivatives import Operation, Rule
from d2lconv.errors import ArgumentError
from d2lconv.rounding.products import Arithmetic
from d2lconv_torch.private import recorded_by_trace


def on_host(function: Operation, shape: Rule) -> Operation:
    """A function of NumPy arrays and, last, a fixed argument, for tensors on any device."""

    @wraps(function)
    def call(*inputs: Any) -> Tensor:
        if recorded_by_trace():
            raise ArgumentError(
                "torch.jit.trace cannot record what is correctly rounded, since that is computed "
                "outside of PyTorch. Use torch.export.export."
            )
        *tensors, fixed = inputs
        arrays = (t.detach().cpu().resolve_neg().numpy() for t in tensors)
        return torch.from_numpy(function(*arrays, fixed)).to(tensors[0].device)

    return call


def matmul(A: Any, B: Any, out: Any) -> None:
    """The product of matrices, in the same memory."""
    with torch.inference_mode():
        torch.matmul(*map(torch.from_numpy, (A, B)), out=torch.from_numpy(out))


def copy(to: Any, numbers: Any) -> None:
    """The numbers in float64, in the same memory."""
    with torch.inference_mode():
        torch.from_numpy(to).copy_(torch.from_numpy(numbers))


ARITHMETIC = Arithmetic(matmul, copy)
