"""The cross-correlation, the strict convolution, and how they are computed."""

from typing import Any

from d2lconv.core import operations
from d2lconv.core.costs import Explanation
from d2lconv.core.selection import choose_for_two


def corr2d(
    X: Any,
    K: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    method: str = "exact",
) -> Any:
    """Cross-correlate an image with a kernel: ``Y[i,j] = sum over a,b of X[i+a, j+b] * K[a,b]``.

    The ranks say what is meant:

        X               K                        result
        (h, w)          (kh, kw)                 (H, W)
        (c, h, w)       (c, kh, kw)              (H, W)          summed over the channels
        (c, h, w)       (o, c/groups, kh, kw)    (o, H, W)
        (n, c, h, w)    (o, c/groups, kh, kw)    (n, o, H, W)    what a layer does

    Args:
        X: The image or images, as above. Integers are used as they are: a uint8 photograph goes
            from 0 to 255, and so do results; divide it by 255 for the range of :func:`photograph`.
            :func:`load_image` makes a grey image of one with its colours last, (h, w, 3).
        K: The kernel or kernels, as above; with its dilation not larger than the padded image.
        stride: By how many elements the kernel moves: an integer, or a pair (down, right).
        padding: How many zeros lie around X: an integer, a pair (height, width), a pair of pairs
            ((top, bottom), (left, right)), "valid" (none), or "same": as many as make
            ceil(h / stride) rows and ceil(w / stride) columns, the odd one at the bottom or right.
        dilation: How far apart the kernel's elements lie: an integer, or a pair (down, right).
        groups: Into how many groups the channels are divided. Each output sums the channels of its
            group; with as many groups as channels it is a depthwise cross-correlation.
        method: How it is computed. "exact" gives the same bits in every framework, value and
            gradients, because the order of the additions is fixed. "rounded" does too, because it
            gives the true value, rounded once, and there is only one: of value and gradients alike,
            at several times the cost, and slowly for float64. The others differ by rounding
            (:mod:`d2lconv.parity.bounds` says how far). "loop" is the double loop of the lesson, as
            slow as it is clear, "matmul" one matrix product (:func:`im2col`), and "native" the
            framework's own convolution. "auto" takes what should be the fastest (:func:`explain`),
            and so keeps the bounds of all methods; if you need a tighter one, name a method. For
            one image and one kernel alone there are "fft", the Fourier transform, which MXNet lacks
            on the CPU, and "banded", a few products of small matrices; with these two and "auto",
            an infinity or NaN may reach output elements whose windows do not hold it.

    Returns:
        A native tensor of the shape above, H = (h + top + bottom - (kh - 1) * dilation - 1) //
        stride + 1 and W likewise, of the wider of the two floating types. It can be differentiated
        with respect to X and K by the framework's own means, twice and in forward mode where the
        framework can.

    Raises:
        ShapeError: X and K are of other ranks, empty or ragged, their channels do not fit, or K is
            larger than the padded X.
        DTypeError: X or K is not of float16, float32, float64, integer or boolean type.
        MixedBackendsError: X and K are tensors of two frameworks.
        ArgumentError: An option makes no sense, or there is no such method.

    Source:
        Dive into Deep Learning, sections 7.2.1, 7.3 and 7.4. The exact method:
        :mod:`d2lconv.core.contract`; the rounded one: :mod:`d2lconv.rounding`.

    Example:
        >>> import d2lconv as dc
        >>> dc.corr2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
        array([[19., 25.],
               [37., 43.]], dtype=float32)
        >>> dc.corr2d([[[0, 1], [2, 3]], [[1, 2], [3, 4]]], [[[1]], [[10]]], padding=(0, 1))
        array([[ 0., 10., 21.,  0.],
               [ 0., 32., 43.,  0.]], dtype=float32)
    """
    return operations.corr2d(
        choose_for_two(X, K),
        X,
        K,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        method=method,
    )


def conv2d(
    X: Any,
    K: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    method: str = "exact",
) -> Any:
    """Convolve an image with a kernel strictly: cross-correlate with the kernel flipped both ways.

    Args:
        X, K, stride, padding, dilation, groups, method: As in :func:`corr2d`. Of several kernels
            each is flipped by itself.

    Returns:
        A native tensor as :func:`corr2d` gives it.

    Raises:
        ShapeError, DTypeError, MixedBackendsError, ArgumentError: As in :func:`corr2d`.

    Source:
        Dive into Deep Learning, section 7.2.5.

    Example:
        >>> import d2lconv as dc
        >>> dc.conv2d([[1, 2, 4]], [[1, -1]])
        array([[1., 2.]], dtype=float32)
    """
    return operations.conv2d(
        choose_for_two(X, K),
        X,
        K,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        method=method,
    )


def explain(
    X: Any,
    K: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    method: str = "auto",
) -> Explanation:
    """Tell which method ``corr2d(X, K, method="auto")`` takes, and why.

    Args:
        X, K, stride, padding, dilation, groups: As in :func:`corr2d`.
        method: "auto", or "rounded": then the cross-correlation is computed, and it is told how
            many of its elements the float64 sums decide, and how the rest is settled.

    Returns:
        An :class:`Explanation`: the method, the backend, the bound that its result keeps, and the
        microseconds that each method should take. Printed, it is one line.

    Raises:
        ShapeError, DTypeError, MixedBackendsError, ArgumentError: As in :func:`corr2d`.

    Source:
        The model and its constants: :mod:`d2lconv.core.costs`.

    Example:
        >>> import d2lconv as dc
        >>> dc.explain(dc.diagonal_image(512), dc.diagonal_image(63)).method
        'fft'
        >>> print(dc.explain([[1, 2, 4]], [[0.1, 0.7]], method="rounded").counts)
        2 elements 2 were decided in float64
    """
    backend = choose_for_two(X, K)
    return operations.explain(
        backend,
        X,
        K,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        method=method,
    )
