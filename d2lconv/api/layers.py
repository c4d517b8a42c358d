"""Layers, native in each framework, and learning a kernel with one."""

from typing import Any

from d2lconv.core import learned
from d2lconv.core.learned import LearnedKernel
from d2lconv.core.selection import choose


def Conv2D(
    kernel_size: tuple[int, int],
    *,
    in_channels: int | None = None,
    out_channels: int | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    weight: Any = None,
    bias: Any = None,
    seed: int = 0,
    method: str = "exact",
) -> Any:
    """Make a native, trainable layer: a cross-correlation plus a bias.

    Args:
        kernel_size: Height and width of the kernels, a pair of integers.
        in_channels: How many channels the images have. None makes the lesson's layer, for one
            channel (h, w).
        out_channels: How many outputs the layer has; given if and only if in_channels is.
        stride, padding, dilation, groups: As in :func:`corr2d`.
        weight: The initial kernel, shape ``kernel_size``, or with channels (out_channels,
            in_channels/groups, kh, kw). None draws it: uniformly from [0, 1) for one channel, from
            Xavier's uniform distribution with channels.
        bias: The initial bias, a number, or with channels one for each output. None starts at 0;
            False leaves the bias out.
        seed: The seed of the NumPy generator that draws the kernels, so that every framework
            starts from the same ones.
        method: How it computes, as in :func:`corr2d`: "exact", "rounded", "loop", "matmul",
            "native" or "auto".

    Returns:
        A ``torch.nn.Module``, ``keras.layers.Layer``, ``mxnet.gluon.Block`` or
        ``flax.linen.Module``, or a plain callable object in NumPy. It takes images (h, w), or with
        channels (c, h, w) or (n, c, h, w), and gives what :func:`corr2d` gives, plus the bias; with
        "rounded" the sum of the two is the true one, rounded once. Its parameters are ``weight``
        and ``bias`` (1,) or (out_channels,). It keeps its framework, whichever backend is in force
        later.

    Raises:
        ShapeError: kernel_size is not a pair of positive integers, or weight or bias does not have
            the layer's shape, or groups does not divide the channels.
        DTypeError: weight or bias is not of float16, float32, float64, integer or boolean type.
        ArgumentError: An option or the seed makes no sense.

    Source:
        Dive into Deep Learning, sections 7.2.2, 7.3 and 7.4. The initial values: Glorot and Bengio,
        "Understanding the difficulty of training deep feedforward neural networks" (2010).

    Example:
        >>> import d2lconv as dc
        >>> layer = dc.Conv2D((1, 2), weight=[[1, -1]], bias=0.5)
        >>> layer([[1, 1, 0]])
        array([[0.5, 1.5]], dtype=float32)
        >>> layer = dc.Conv2D((3, 3), in_channels=3, out_channels=8, stride=2, padding=1)
        >>> layer(dc.tensor([[[[0] * 32] * 32] * 3])).shape
        (1, 8, 16, 16)
    """
    return choose(weight=weight, bias=bias).layers.Conv2D(
        kernel_size,
        in_channels=in_channels,
        out_channels=out_channels,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        weight=weight,
        bias=bias,
        seed=seed,
        method=method,
    )


def Pool2D(
    size: Any,
    *,
    mode: str = "max",
    stride: Any = None,
    padding: Any = 0,
    count_include_pad: bool = False,
    method: str = "exact",
) -> Any:
    """Make a native layer without parameters: the maximum, or the mean, of each window.

    Args:
        size: Height and width of the window, or one integer for both.
        mode, padding, count_include_pad, method: As in :func:`pool2d`.
        stride: The same; None is the window's size, so that windows do not overlap.

    Returns:
        A ``torch.nn.Module``, ``keras.layers.Layer``, ``mxnet.gluon.Block`` or
        ``flax.linen.Module``, or a plain callable object in NumPy, of the backend in force.

    Raises:
        ArgumentError: An option makes no sense.

    Source:
        Dive into Deep Learning, section 7.5.

    Example:
        >>> import d2lconv as dc
        >>> dc.Pool2D(2)([[1, 2, 3, 4], [5, 6, 7, 8]])
        array([[6., 8.]], dtype=float32)
    """
    return choose().layers.Pool2D(
        size,
        mode=mode,
        stride=stride,
        padding=padding,
        count_include_pad=count_include_pad,
        method=method,
    )


def learn_kernel(
    X: Any,
    Y: Any,
    kernel_size: tuple[int, int],
    *,
    lr: float = 3e-2,
    epochs: int = 10,
    init: Any = None,
    seed: int = 0,
    layer: str = "exact",
    verbose: bool = False,
) -> LearnedKernel:
    """Learn the kernel that turns X into Y, by gradient descent on the summed squared error.

    Args:
        X: The image, shape (h, w).
        Y: What the kernel should make of it, shape (h - kh + 1, w - kw + 1).
        kernel_size: Height and width (kh, kw) of the kernel.
        lr: The learning rate, greater than 0. The larger and brighter the image, the smaller it
            must be: for a photograph of 128x128 and two weights, about 1e-4.
        epochs: The number of steps, at least 1.
        init: The initial kernel, shape ``kernel_size``. None draws it uniformly from [0, 1).
        seed: The seed of the NumPy generator that draws the initial kernel.
        layer: "exact" learns with :func:`Conv2D`, which has the same bits in every framework;
            "builtin" with the framework's own layer (``torch.nn.Conv2d``, ``keras.layers.Conv2D``,
            ``mxnet.gluon.nn.Conv2D``, ``flax.linen.Conv``; NumPy has none). Neither has a bias.
        verbose: Whether to print the loss of every second epoch.

    Returns:
        A :class:`LearnedKernel`: the kernel, the loss of each epoch before its update, the
        initial kernel, and the backend's name.

    Raises:
        ShapeError: X or Y is not a matrix, or Y does not have the shape that the kernel gives.
        DTypeError: X, Y or init is not of float16, float32, float64, integer or boolean type.
        MixedBackendsError: The arguments are tensors of two frameworks.
        ArgumentError: lr, epochs, seed or layer makes no sense, or the data is not finite.
        Diverged: lr is too large for this image; the message names the largest safe one, and the
            error has the losses so far.

    Source:
        Dive into Deep Learning, section 7.2.4.

    Example:
        >>> import d2lconv as dc
        >>> X = dc.edge_image()
        >>> learned = dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2), verbose=True)
        epoch 2, loss 25.165
        epoch 4, loss 9.359
        epoch 6, loss 3.675
        epoch 8, loss 1.478
        epoch 10, loss 0.601
        >>> dc.learn_kernel(X, dc.corr2d(X, [[1, -1]]), (1, 2), lr=0.04)
        Traceback (most recent call last):
        d2lconv.errors.Diverged: learning diverged at step 2: with lr=0.04 the loss rose from \
42.767 to 67.648. For this image and this size of kernel the largest safe lr is 0.033, 1 over the \
largest eigenvalue of the quadratic. Try lr=0.03.
    """
    return learned.learn_kernel(
        choose(X=X, Y=Y, init=init),
        X,
        Y,
        kernel_size,
        lr=lr,
        epochs=epochs,
        init=init,
        seed=seed,
        layer=layer,
        verbose=verbose,
    )
