"""What a benchmark has to know of PyTorch."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from d2lconv.core.geometry import Geometry
from d2lconv_torch.methods import arguments


def wait(t: Tensor) -> None:
    """Return when the tensor is computed. On the CPU it is; a GPU computes while Python goes on."""
    if t.is_cuda:
        torch.cuda.synchronize(t.device)


def convolution(X: Tensor, K: Tensor, geometry: Geometry) -> Callable[[], Tensor]:
    """A call of PyTorch's own convolution, on tensors that are in its layout."""
    X, options = arguments(X, geometry)
    return lambda: functional.conv2d(X, K, None, *options)
