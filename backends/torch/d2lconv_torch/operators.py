"""Operations as PyTorch's compilers see them: opaque, so that nothing is fused into them.

Inductor computes a product and the sum after it in one go, with one rounding less, and float16 in
float32. So ``torch.compile`` and ``torch.export`` get each operation as an operator of its own,
``torch.ops.d2lconv``, which they call and do not look into.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from d2lconv.core.derivatives import Operation, Rule
from d2lconv.core.geometry import Geometry

_named: Counter[str] = Counter()


def opaque(
    function: Operation,
    gradients: Sequence[Operation | None],
    shape: Rule,
    map_over: Callable[..., Any],
) -> Operation:
    """Make an operator of a function of tensors and a fixed argument.

    Args:
        function: Computes.
        gradients, shape: As in :func:`d2lconv_torch.autodiff.differentiable`.
        map_over: What it does under ``torch.vmap``, given the operator first.
    """
    base = f"{function.__module__.rpartition('.')[2]}_{function.__name__}"
    _named[base] += 1
    name = f"d2lconv::{base}" + (f"_{_named[base]}" if _named[base] > 1 else "")

    def compute(*inputs: Any) -> Tensor:
        *tensors, numbers = inputs
        Y = function(*tensors, decoded(numbers))
        own = all(Y.data_ptr() != t.data_ptr() for t in tensors)
        # What a compiler is told is a new tensor in rows has to be one.
        if own and Y.is_contiguous():
            return Y  # type: ignore[no-any-return]
        return Y.clone(memory_format=torch.contiguous_format)  # type: ignore[no-any-return]

    def shape_alone(*inputs: Any) -> Tensor:
        *tensors, numbers = inputs
        sizes = shape(*(t.shape for t in tensors), decoded(numbers))
        fitting: Tensor = tensors[0].new_empty(sizes)
        return fitting

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        *tensors, ctx.numbers = inputs
        ctx.save_for_backward(*tensors)

    def backward(ctx: Any, G: Tensor) -> tuple[Tensor | None, ...]:
        fixed, tensors = decoded(ctx.numbers), ctx.saved_tensors
        pairs = zip(gradients, ctx.needs_input_grad, strict=False)
        return (*(g(*tensors, G, fixed) if g and wanted else None for g, wanted in pairs), None)

    tensors = ", ".join(f"Tensor t{i}" for i in range(len(gradients)))
    schema = f"({tensors}, SymInt[] fixed) -> Tensor"
    operator = torch.library.custom_op(name, compute, mutates_args=(), schema=schema)
    operator.register_fake(shape_alone)
    operator.register_autograd(backward, setup_context=setup_context)
    packet = getattr(torch.ops.d2lconv, name.partition("::")[2]).default
    operator.register_vmap(lambda info, dims, *inputs: map_over(packet, info, dims, *inputs))

    def call(*inputs: Any) -> Tensor:
        result: Tensor = packet(*inputs[:-1], encoded(inputs[-1]))
        return result

    return call


def watched(t: Tensor) -> bool:
    """Whether a tensor is one of a compiler's, which sees what is done to it, or has no values."""
    return t.is_meta or type(t).__torch_dispatch__ is not Tensor.__torch_dispatch__


def encoded(fixed: Any) -> list[int]:
    """A fixed argument as numbers: None, a Geometry, or a Geometry and a bool."""
    if fixed is None:
        return []
    if not isinstance(fixed, Geometry):
        geometry, flag = fixed
        return [*encoded(geometry), int(flag)]
    (top, bottom), (left, right) = fixed.padding
    image: Any = fixed.image
    return [
        *image,
        *fixed.kernel,
        *fixed.stride,
        *(top, bottom, left, right),
        *fixed.dilation,
        fixed.groups,
        *fixed.output,
    ]


def decoded(numbers: Sequence[int]) -> Any:
    """The fixed argument that :func:`encoded` made numbers of."""
    if not numbers:
        return None
    n, c, h, w, o, per_group, kh, kw, sh, sw, *rest = numbers
    top, bottom, left, right, dh, dw, groups, H, W, *flag = rest
    geometry = Geometry(
        image=(n, c, h, w),
        kernel=(o, per_group, kh, kw),
        stride=(sh, sw),
        padding=((top, bottom), (left, right)),
        dilation=(dh, dw),
        groups=groups,
        output=(H, W),
    )
    return (geometry, bool(flag[0])) if flag else geometry
