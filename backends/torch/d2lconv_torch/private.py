"""What this backend asks of PyTorch's private parts, each with an answer that is safe without."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch.autograd import forward_ad

# Whether the call is inside torch.func or torch.vmap; where PyTorch does not tell, it may be.
transforms_active: Callable[[], bool] = getattr(
    torch._C, "_are_functorch_transforms_active", lambda: True
)

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
