"""Learning a kernel from data in NumPy: the loop is the lesson's, with exact sums."""

from collections.abc import Callable

import numpy as np

from d2lconv.core.contract import FloatArray
from d2lconv.core.contract import FloatArray as Tensor
from d2lconv_numpy import scratch
from d2lconv_numpy.exact import tree_sum
from d2lconv_numpy.layers import Conv2D
from d2lconv_numpy.tensors import tensor

LAYERS = ("exact",)


@np.errstate(over="ignore", under="ignore", invalid="ignore")  # values here, as elsewhere
def learn_kernel(
    X: Tensor,
    Y: Tensor,
    initial: FloatArray,
    *,
    lr: float,
    epochs: int,
    layer: str,
    report: Callable[[int, float], None],
) -> Tensor:
    """Gradient descent on the squared error between the layer's output for X and Y.

    Calls ``report(epoch, loss)`` once an epoch, with the loss before the update.
    """
    kh, kw = initial.shape
    conv = Conv2D((kh, kw), weight=initial, bias=False)
    rate = tensor(lr, X.dtype)
    return scratch.learn_kernel(conv, X, Y, rate, epochs, lambda A: tree_sum(A[None]), report)
