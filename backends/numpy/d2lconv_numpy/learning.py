"""Learning a kernel from data in NumPy: the gradients are written out by hand."""

from collections.abc import Callable

from d2lconv.contract import FloatArray
from d2lconv.contract import FloatArray as Tensor
from d2lconv_numpy.layers import Conv2D, gradients
from d2lconv_numpy.ops import tensor, tree_sum

LAYERS = ("exact",)


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
    for epoch in range(1, epochs + 1):
        D = conv(X) - Y
        loss = tree_sum((D * D).reshape(-1))
        conv.weight -= rate * gradients(conv, X, D + D)["weight"]
        report(epoch, float(loss))
    return conv.weight
