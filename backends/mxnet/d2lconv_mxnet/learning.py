"""Learning a kernel from data in MXNet: the loop is the lesson's, with the layer of choice."""

from collections.abc import Callable

from d2lconv.core.contract import FloatArray
from d2lconv_mxnet import scratch
from d2lconv_mxnet.exact import tree_sum
from d2lconv_mxnet.layers import Conv2D
from d2lconv_mxnet.tensors import Tensor, tensor

from mxnet import autograd, np, util  # isort: skip

LAYERS = ("exact", "builtin")


# In other threads than the first, NumPy semantics are off.
@util.use_np  # type: ignore[untyped-decorator]
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
    with autograd.pause():  # what a caller records is not this
        X, Y = X.detach(), Y.detach()
        kh, kw = initial.shape
        rate = tensor(lr, X.dtype)
        if layer == "exact":
            exact = Conv2D((kh, kw), weight=initial, bias=False)
            return scratch.learn_kernel(
                exact, X, Y, rate, epochs, lambda A: tree_sum(A[None]), report
            )
        builtin = scratch.builtin_layer(tensor(initial))
        X, Y = X[None, None], Y[None, None]  # (batch, channel, height, width)
        return scratch.learn_kernel(builtin, X, Y, rate, epochs, np.sum, report)[0, 0]
