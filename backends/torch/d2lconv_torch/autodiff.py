"""Derivatives in PyTorch: an operation becomes a ``torch.autograd.Function``."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import make_dual, unpack_dual
from torch.compiler import is_compiling
from torch.nn.parameter import Parameter

from d2lconv.core import derivatives
from d2lconv.core.derivatives import Operation, Rule
from d2lconv.errors import ArgumentError
from d2lconv_torch.operators import opaque, watched
from d2lconv_torch.private import (
    differentiated_inside,
    forward_mode,
    in_forward_mode,
    recorded_by_trace,
    transforms,
    transforms_active,
    uncompiled,
)
from d2lconv_torch.tensors import recorded


def differentiable(
    function: Operation, gradients: Sequence[Operation | None], tangent: Operation, shape: Rule
) -> Operation:
    """Give a function of tensors, and last of a fixed argument, its derivatives.

    Tensors that nothing is differentiated by pass the function and not PyTorch's machinery, which
    costs as much as a small image.

    Args:
        function: Computes.
        gradients: For each tensor a function of the tensors, the gradient at the output, and the
            fixed argument; None where the gradient is zero.
        tangent: A function of the tensors, their tangents, and the fixed argument.
        shape: That of the result, by the shapes of the tensors and the fixed argument.
    """

    class Function(torch.autograd.Function):
        forward = staticmethod(uncompiled(function))

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
            *tensors, ctx.fixed = inputs
            ctx.save_for_backward(*tensors)
            ctx.save_for_forward(*tensors)

        @staticmethod
        @uncompiled
        def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
            pairs = zip(gradients, ctx.needs_input_grad, strict=False)
            tensors, fixed = ctx.saved_tensors, ctx.fixed
            return (*(g(*tensors, G, fixed) if g and wanted else None for g, wanted in pairs), None)

        @staticmethod
        @uncompiled
        def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
            # PyTorch turns forward mode off here, of outer levels too, which would lose their part.
            with forward_mode():
                dual: Any = unpack_dual
                values = [dual(t).primal for t in ctx.saved_tensors]
                along: Tensor = tangent(*values, *tangents[:-1], ctx.fixed)
            return along

        @staticmethod
        def vmap(info: Any, dims: tuple[int | None, ...], *inputs: Any) -> tuple[Tensor, int]:
            return _one_by_one(call, info, dims, *inputs)

    operator = opaque(function, gradients, shape, _one_by_one)

    # An operator has no forward mode in PyTorch, and no derivatives inside torch.func: its
    # compiler is made to leave such a call, and what is around it, to be done step by step.
    @uncompiled
    def in_steps(*inputs: Any) -> Any:
        return call(*inputs)

    def call(*inputs: Any) -> Tensor:
        if _is_plain(inputs):
            return function(*inputs)  # type: ignore[no-any-return]
        *tensors, fixed = inputs
        _check_devices(tensors)
        if is_compiling():
            chosen = in_steps if differentiated_inside() else operator
            return chosen(*inputs)  # type: ignore[no-any-return]
        if in_forward_mode() and any(map(watched, tensors)):
            duals: list[Any] = list(map(unpack_dual, tensors))
            if any(dual.tangent is not None for dual in duals):
                return _forwards(call, tangent, duals, fixed)
        if all(map(watched, tensors)) or "Functionalize" in transforms():
            _check_functionalized()
            return operator(*inputs)  # type: ignore[no-any-return]
        if any(map(watched, tensors)):
            return _beside_values(operator, inputs)
        differentiated = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
        if differentiated or transforms_active() or in_forward_mode():
            if differentiated:
                _check_traced()
                # Tensors of inference mode cannot be recorded.
                tensors = [t.clone() if t.is_inference() else t for t in tensors]
            return Function.apply(*tensors, fixed)  # type: ignore[no-any-return, no-untyped-call]
        return function(*inputs)  # type: ignore[no-any-return]

    return call


def _is_plain(inputs: Sequence[Any]) -> bool:
    """Whether tensors are on the CPU, and nothing is differentiated, mapped or compiled.

    Every call asks, so it is quick.
    """
    for t in inputs[:-1]:
        kind = type(t)
        if not ((kind is Tensor or kind is Parameter) and t.is_cpu):
            return False
        if t.requires_grad and torch.is_grad_enabled():
            return False
    return not (transforms_active() or in_forward_mode() or is_compiling())


def _one_by_one(
    call: Operation, info: Any, dims: tuple[Any, ...], *inputs: Any
) -> tuple[Tensor, int]:
    """The elements of a batch one after the other, each as if it were alone."""
    *tensors, fixed = inputs
    pairs = list(zip(tensors, dims, strict=False))
    results = [
        call(*(t if d is None else t.select(d, i) for t, d in pairs), fixed)
        for i in range(info.batch_size)
    ]
    return torch.stack(results), 0


def _forwards(call: Operation, tangent: Operation, duals: Sequence[Any], fixed: Any) -> Tensor:
    """The operation on tensors with tangents, which an operator would lose without a word."""
    values = [dual.primal for dual in duals]
    along = tangent(*values, *(dual.tangent for dual in duals), fixed)
    dual: Any = make_dual
    found: Tensor = dual(call(*values, fixed), along)
    return found


def _check_traced() -> None:
    """Check that torch.jit.trace does not record: it knows no autograd.Function, and crashes."""
    if recorded_by_trace():
        raise ArgumentError(
            "torch.jit.trace cannot record a differentiable operation of d2lconv. Use "
            "torch.export.export, or trace inside torch.no_grad()."
        )


def _check_functionalized() -> None:
    """Check that functionalize is not together with what differentiates."""
    active = transforms()
    if "Functionalize" in active and not active.isdisjoint(("Grad", "Jvp")):
        raise ArgumentError(
            "torch.func.functionalize does not go together with torch.func.grad, vjp or jvp around "
            "d2lconv's operations, which have derivatives of their own. Leave it out, or "
            "differentiate by backward() or torch.autograd.grad outside of it."
        )


def _beside_values(operator: Operation, inputs: Sequence[Any]) -> Tensor:
    """What an operator makes of tensors of which some have values, and some may have none."""
    try:
        return operator(*inputs)  # type: ignore[no-any-return]
    except AssertionError as error:  # so PyTorch refuses a FakeTensor beside one with values
        raise ArgumentError(
            "one tensor has values, and another is a FakeTensor, which has none and takes none "
            "beside it that has. Make both in its FakeTensorMode."
        ) from error


def _check_devices(tensors: Sequence[Tensor]) -> None:
    """Check that tensors are in one place."""
    first = tensors[0].device
    for t in tensors[1:]:
        if t.device != first:
            raise ArgumentError(
                f"one tensor is on the device {str(first)!r} and another on {str(t.device)!r}; all "
                f"tensors of a call must be on one. Move one of them: t.to({str(first)!r})."
            )


bilinear = partial(derivatives.bilinear, differentiable)


@recorded
def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    Y = function(*leaves)
    return Y.detach(), list(torch.autograd.grad(Y, leaves, G))
