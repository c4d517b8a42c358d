"""Learning a kernel from data in MXNet and Gluon."""

from collections.abc import Callable

from mxnet import autograd, gluon, init, np, util

from d2lconv.contract import FloatArray
from d2lconv_mxnet.layers import Conv2D
from d2lconv_mxnet.ops import Tensor, tensor, tree_sum

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
    X, Y = X.detach(), Y.detach()
    kh, kw = initial.shape
    if layer == "exact":
        conv, total = Conv2D((kh, kw), weight=initial, bias=False), tree_sum
    else:
        conv, total = _builtin(initial), np.sum
        X, Y = X[None, None], Y[None, None]  # (batch, channel, height, width)
    weight = conv.weight
    rate = tensor(lr, X.dtype)
    for epoch in range(1, epochs + 1):
        with autograd.record():
            D = conv(X) - Y
            loss = total((D * D).reshape(-1))
        loss.backward()
        weight.set_data(weight.data() - rate * weight.grad())
        report(epoch, loss.item())
    return weight.data().reshape(kh, kw)


def _builtin(initial: FloatArray) -> gluon.nn.Conv2D:
    """Gluon's own layer, starting from the same kernel."""
    start = init.Constant(tensor(initial[None, None]))
    conv = gluon.nn.Conv2D(
        1, initial.shape, use_bias=False, in_channels=1, weight_initializer=start
    )
    conv.cast(initial.dtype)
    conv.initialize()
    return conv
