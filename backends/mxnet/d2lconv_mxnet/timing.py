"""What a benchmark has to know of MXNet."""

from collections.abc import Callable

from mxnet import npx

from d2lconv_mxnet.ops import Tensor


def wait(t: Tensor) -> None:
    """Return when the array is computed. MXNet computes while Python goes on."""
    t.wait_to_read()


def convolution(X: Tensor, K: Tensor) -> Callable[[], Tensor]:
    """A call of MXNet's own convolution, on arrays that were put into its layout before."""
    image, kernel = X[None, None], K[None, None]  # (batch, channel, height, width)
    options = {"kernel": K.shape, "num_filter": 1, "no_bias": True}
    return lambda: npx.convolution(image, weight=kernel, **options)
