"""What a benchmark has to know of PyTorch."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def wait(t: Tensor) -> None:
    """Return when the tensor is computed. On the CPU it is; a GPU computes while Python goes on."""
    if t.is_cuda:
        torch.cuda.synchronize(t.device)


def convolution(X: Tensor, K: Tensor) -> Callable[[], Tensor]:
    """A call of PyTorch's own convolution, on tensors that were put into its layout before."""
    image, kernel = X[None, None], K[None, None]  # (batch, channel, height, width)
    return lambda: functional.conv2d(image, kernel)
