"""What this backend asks of PyTorch's private parts, each with an answer that is safe without."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

import torch
from torch.autograd import forward_ad

# Whether the call is inside torch.func or torch.vmap; where PyTorch does not tell, it may be.
transforms_active: Callable[[], bool] = getattr(
    torch._C, "_are_functorch_transforms_active", lambda: True
)

_stack: Callable[[], Any] | None = getattr(
    getattr(torch._C, "_functorch", None), "get_interpreter_stack", None
)


def transforms() -> frozenset[str]:
    """Which transforms of torch.func the call is inside: "Grad", "Jvp", "Vmap", "Functionalize".

    Where PyTorch does not tell, it may be inside the first two.
    """
    if not transforms_active():
        return frozenset()
    if _stack is None:
        return frozenset(("Grad", "Jvp"))
    return frozenset(level.key().name for level in _stack() or ())


def differentiated_inside() -> bool:
    """Whether a function that torch.compile reads is differentiated by torch.func, or forwards.

    It does not read this function, but calls it: torch.compiler.assume_constant_result would mark
    it so too, but imports the compiler, which takes a second or two.
    """
    return in_forward_mode() or not transforms().isdisjoint(("Grad", "Jvp"))


differentiated_inside._dynamo_marked_constant = True  # type: ignore[attr-defined]

# As torch.compiler.disable, which would import the compiler at once: that takes a second or two.
_disabled: Callable[..., Any] = getattr(torch, "_disable_dynamo", torch.compiler.disable)


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that torch.compile calls, and does not read, nor what it calls."""
    disabled = _disabled(function)

    @wraps(function)
    def call(*inputs: Any) -> Any:
        chosen = disabled if "torch._dynamo" in sys.modules else function
        return chosen(*inputs)

    return call


# Whether torch.jit.trace records; where PyTorch does not tell, no.
recorded_by_trace: Callable[[], bool] = getattr(torch.jit, "is_tracing", lambda: False)

# Whether torch.autocast is on for some device, or may be.
autocast_is_on: Callable[[], bool] = getattr(torch._C, "_is_any_autocast_enabled", lambda: True)


def forward_mode() -> AbstractContextManager[object]:
    """A block in which forward mode is on, also where PyTorch has turned it off."""
    switch = getattr(forward_ad, "_set_fwd_grad_enabled", None)
    return nullcontext() if switch is None else switch(True)


def in_forward_mode() -> bool:
    """Whether the call is inside a block of forward-mode differentiation, or may be."""
    level: int = getattr(forward_ad, "_current_level", 0)
    return level >= 0
