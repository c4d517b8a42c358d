"""Derivatives in NumPy, which has none: the operations that a layer needs are called by name."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from d2lconv.core import derivatives
from d2lconv.core.contract import FloatArray as Tensor
from d2lconv.core.derivatives import Operation, Rule
from d2lconv.errors import ArgumentError


def differentiable(
    function: Operation, gradients: Any, tangent: Operation, shape: Rule
) -> Operation:
    """The function; overflow and 0 * infinity are values as elsewhere, not warnings."""
    return np.errstate(over="ignore", under="ignore", invalid="ignore")(function)


bilinear = partial(derivatives.bilinear, differentiable)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    raise ArgumentError("NumPy does not differentiate: use the backend of a framework.")
