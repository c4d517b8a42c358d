"""What a network computes beside convolutions, as functions."""

from typing import Any

from d2lconv.core import network, operations
from d2lconv.core.selection import choose


def pool2d(
    X: Any,
    size: Any,
    *,
    mode: str = "max",
    stride: Any = 1,
    padding: Any = 0,
    count_include_pad: bool = False,
    method: str = "exact",
) -> Any:
    """Take the maximum, or the mean, of each window of an image, each channel by itself.

    Args:
        X: The image, shape (h, w), (c, h, w) or (n, c, h, w).
        size: Height and width of the window, or one integer for both.
        mode: "max" or "avg". A maximum is NaN if the window holds one. Of equal elements the first
            in row-major order is taken, and its gradient goes there; frameworks differ in this.
        stride: By how many elements the window moves: an integer, or a pair (down, right).
        padding: What lies around X, as in :func:`corr2d`: -infinity for the maximum, and zeros for
            the mean. Every window must hold an element of X.
        count_include_pad: Whether a mean is divided by the size of the window, padding and all, or
            by the number of elements of X in it.
        method: "exact" adds in a fixed order and rounds each step; "rounded" gives the true mean,
            rounded once, and rounds sums in gradients once. A maximum is the same in both.

    Returns:
        A native tensor of X's type and number of dimensions, with the height and width that
        :func:`corr2d` gives for a kernel of this size. It has the same bits in every framework, and
        so has its gradient.

    Raises:
        ShapeError: X has another number of dimensions, or the window is larger than the padded X.
        DTypeError: X is not of float16, float32, float64, integer or boolean type.
        ArgumentError: An option makes no sense.

    Source:
        Dive into Deep Learning, section 7.5.

    Example:
        >>> import d2lconv as dc
        >>> dc.pool2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], (2, 2))
        array([[4., 5.],
               [7., 8.]], dtype=float32)
        >>> dc.pool2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], 2, mode="avg")
        array([[2., 3.],
               [5., 6.]], dtype=float32)
    """
    return operations.pool2d(
        choose(X=X),
        X,
        size,
        mode=mode,
        stride=stride,
        padding=padding,
        count_include_pad=count_include_pad,
        method=method,
    )


def dense(X: Any, W: Any, b: Any = None, *, method: str = "rounded") -> Any:
    """Apply a fully connected layer: ``Y[n,o] = sum over i of X[n,i] * W[o,i], + b[o]``.

    Args:
        X: The inputs, shape (n, i): a row for each example.
        W: The weights, shape (o, i): a row for each output.
        b: The biases, shape (o,); None for none.
        method: "rounded": each element is the true value, rounded once, its bias included.

    Returns:
        A native tensor of shape (n, o), of the widest of the floating types. It can be
        differentiated with respect to X, W and b by the framework's own means, twice and in forward
        mode where the framework can; each gradient is its true value, rounded once. float64 is
        right, but slow.

    Raises:
        ShapeError: The shapes do not fit each other, or an argument is empty.
        DTypeError: An argument is not of float16, float32, float64, integer or boolean type.
        MixedBackendsError: The arguments are tensors of two frameworks.
        ArgumentError: There is no such method.

    Source:
        Dive into Deep Learning, section 3.1.1. The method: :mod:`d2lconv.rounding.network`.

    Example:
        >>> import d2lconv as dc
        >>> dc.dense([[1, 2]], [[3, 4], [5, 6]], [0.5, 0])
        array([[11.5, 17. ]], dtype=float32)
    """
    return network.dense(choose(X=X, W=W, b=b), X, W, b, method=method)


def sigmoid(X: Any) -> Any:
    """Squash each element to between 0 and 1: 1 / (1 + exp(-x)), the true value, rounded once.

    Args:
        X: Of any shape.

    Returns:
        A native tensor of X's shape and floating type, with the same bits in every framework. Its
        gradient g * s * (1 - s), with s the true sigmoid, is rounded once; there is no second one.

    Raises:
        DTypeError: X is not of float16, float32, float64, integer or boolean type.

    Source:
        Dive into Deep Learning, section 5.1.2. The method: :mod:`d2lconv.rounding.functions`.

    Example:
        >>> import d2lconv as dc
        >>> dc.sigmoid([-1, 0, 1])
        array([0.26894143, 0.5       , 0.7310586 ], dtype=float32)
    """
    return network.sigmoid(choose(X=X), X)


def tanh(X: Any) -> Any:
    """Take the hyperbolic tangent of each element: the true value, rounded once.

    Args:
        X: Of any shape.

    Returns:
        A native tensor of X's shape and floating type, with the same bits in every framework. Its
        gradient g * (1 - t**2), with t the true tangent, is rounded once; there is no second one.

    Raises:
        DTypeError: X is not of float16, float32, float64, integer or boolean type.

    Source:
        Dive into Deep Learning, section 5.1.2. The method: :mod:`d2lconv.rounding.functions`.

    Example:
        >>> import d2lconv as dc
        >>> dc.tanh([0, 0.5])
        array([0.        , 0.46211717], dtype=float32)
    """
    return network.tanh(choose(X=X), X)


def relu(X: Any) -> Any:
    """Keep each element that is positive, or NaN, and make the others 0. Nothing is rounded.

    Args:
        X: Of any shape.

    Returns:
        A native tensor of X's shape and floating type. Its gradient is 0 where X is 0.

    Raises:
        DTypeError: X is not of float16, float32, float64, integer or boolean type.

    Source:
        Dive into Deep Learning, section 5.1.2.

    Example:
        >>> import d2lconv as dc
        >>> dc.relu([-1, 2])
        array([0., 2.], dtype=float32)
    """
    return network.relu(choose(X=X), X)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Take the mean of the softmax cross-entropy over a batch.

    The loss of an example is the logarithm of the sum of the exponentials of its logits, less the
    logit of its label: the true value, rounded once. So is the mean of these.

    Args:
        logits: Shape (n, k): a row for each example, one number for each of k classes.
        labels: Shape (n,): the class of each example, integers from 0 to k - 1.

    Returns:
        A native tensor without dimensions, of the logits' floating type, with the same bits in
        every framework. Its gradient is that of the true mean, (softmax - 1) / n at the labels and
        softmax / n elsewhere, times the gradient at the output, rounded once. There is no second
        one.

    Raises:
        ShapeError: The shapes do not fit each other, or there are no examples.
        DTypeError: The logits are not of float16, float32, float64, integer or boolean type, or the
            labels of no integer type.
        MixedBackendsError: The arguments are tensors of two frameworks.
        ArgumentError: A label is not from 0 to k - 1. In a function that is compiled, it is the
            framework's error that says this, when the function runs.

    Source:
        Dive into Deep Learning, section 4.1.2. The method: :mod:`d2lconv.rounding.cross_entropy`.

    Example:
        >>> import d2lconv as dc
        >>> dc.cross_entropy([[0, 0], [3, -2]], [0, 1])
        array(2.8499312, dtype=float32)
    """
    return network.cross_entropy(choose(logits=logits, labels=labels), logits, labels)
