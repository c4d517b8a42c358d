"""Derivatives in MXNet: an operation becomes an ``autograd.Function``.

MXNet has no forward mode, and differentiates such a function once.
"""

import math
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

from d2lconv.core import derivatives
from d2lconv.core.data import FLOATS
from d2lconv.core.derivatives import Operation, Rule
from d2lconv_mxnet.tensors import Tensor, dtype_name

from mxnet import autograd, np, util  # isort: skip


def differentiable(
    function: Operation, gradients: Sequence[Operation | None], tangent: Operation, shape: Rule
) -> Operation:
    """Give a function of arrays, and last of a fixed argument, its gradients.

    MXNet 1.9's autograd.Function loses gradients when it has several inputs: if the first one
    needs none, the others get none either, and grad_req="add" adds nothing. With a single input
    neither can happen, so the inputs are joined to one before, by operations that MXNet
    differentiates itself.

    Args:
        function: Computes.
        gradients: For each array a function of the arrays, the gradient at the output, and the
            fixed argument; None where the gradient is zero.
        tangent: Not used: MXNet has no forward mode.
        shape: Not used: MXNet finds it.
    """

    class Function(autograd.Function):  # type: ignore[misc]
        def __init__(self, tensors: list[Tensor], fixed: Any) -> None:
            super().__init__()
            self.shapes, self.fixed = [t.shape for t in tensors if _is_float(t)], fixed
            self.beside = {i: t for i, t in enumerate(tensors) if not _is_float(t)}

        def forward(self, joined: Tensor) -> Tensor:
            # Backward needs the inputs, but must not keep them: if one is a parameter, its
            # update waits for the gradient, and a gradient that reads the parameter would
            # wait for the update, for ever. The parts of the joined array are nobody else's.
            ends = list(accumulate(map(math.prod, self.shapes), initial=0))
            parts = [joined[start:end] for start, end in pairwise(ends)]
            pairs = zip(parts, self.shapes, strict=True)
            self.tensors = [part.reshape(shape) for part, shape in pairs]
            for place, t in self.beside.items():
                self.tensors.insert(place, t)
            return function(*self.tensors, self.fixed)

        def backward(self, G: Any) -> Any:
            # MXNet calls this in a thread of its own, in which NumPy semantics are off, and
            # takes and gives arrays of its older kind.
            with util.np_shape(True), util.np_array(True):
                G = G.as_np_ndarray()
                found = [
                    g(*self.tensors, G, self.fixed) if g else np.zeros_like(t)
                    for i, (g, t) in enumerate(zip(gradients, self.tensors, strict=True))
                    if i not in self.beside
                ]
                return np.concatenate([f.reshape(-1) for f in found]).as_nd_ndarray()

    # In other threads than the first, NumPy semantics are off.
    @util.use_np_shape  # type: ignore[untyped-decorator]
    def call(*inputs: Any) -> Tensor:
        if not autograd.is_recording():
            return function(*inputs)
        *tensors, fixed = inputs
        joined = np.concatenate([t.reshape(-1) for t in tensors if _is_float(t)])
        return Function(tensors, fixed)(joined)

    return call  # type: ignore[no-any-return]


def _is_float(t: Tensor) -> bool:
    return dtype_name(t) in FLOATS


bilinear = partial(derivatives.bilinear, differentiable)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    leaves = [t.copy() for t in inputs]
    for t in leaves:
        t.attach_grad()
    with autograd.record():
        Y = function(*leaves)
    Y.backward(G)
    return Y, [t.grad for t in leaves]
