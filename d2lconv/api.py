"""The neutral API: each function chooses the backend that serves the call, and passes it on.

Everything here is also in the API bound to one backend, ``from d2lconv import torch as d2l``.
"""

from os import PathLike
from typing import Any

from d2lconv import costs, images, learn, matrices
from d2lconv.contract import FloatArray
from d2lconv.costs import Explanation
from d2lconv.data import detached
from d2lconv.learn import LearnedKernel
from d2lconv.selection import choose, choose_for_two


def tensor(data: Any, dtype: Any = None) -> Any:
    """Make a native tensor of a copy of the data.

    Args:
        data: Numbers, nested lists, NumPy arrays, or a native tensor, of any shape.
        dtype: "float16", "float32" or "float64", or a NumPy or native type of that name. None
            keeps a floating type; integers, booleans and lists become float32, which holds
            integers exactly up to 2**24.

    Returns:
        A tensor of the backend in force, or of the one that the data is native to.

    Raises:
        DTypeError: The data is complex, text, or something else that is no number.
        ShapeError: The data is a ragged list.

    Example:
        >>> import d2lconv as dc
        >>> dc.tensor([[1, 2], [3, 4]])
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """
    return choose(data=data).ops.tensor(data, dtype)


def to_numpy(t: Any) -> FloatArray:
    """Copy a tensor of any framework into a NumPy array.

    Args:
        t: A native tensor of any backend, or neutral data.

    Returns:
        A new NumPy array of the same shape and floating type (float32 for integers and lists).

    Raises:
        DTypeError: The data is complex, text, or something else that is no number.

    Example:
        >>> import d2lconv as dc
        >>> dc.to_numpy([1, 2])
        array([1., 2.], dtype=float32)
    """
    return detached(t)


def transpose(t: Any) -> Any:
    """Exchange the rows and the columns of a matrix.

    Args:
        t: A matrix of shape (h, w).

    Returns:
        A new tensor of shape (w, h).

    Raises:
        ShapeError: t is not a matrix, or is empty.

    Example:
        >>> import d2lconv as dc
        >>> dc.transpose([[1, 2, 3]]).shape
        (3, 1)
    """
    return choose(t=t).ops.transpose(t)


def corr2d(X: Any, K: Any, *, method: str = "exact") -> Any:
    """Cross-correlate an image with a kernel: ``Y[i,j] = sum over a,b of X[i+a, j+b] * K[a,b]``.

    Args:
        X: The image, shape (h, w).
        K: The kernel, shape (kh, kw), not larger than the image in either direction.
        method: How it is computed. "exact" gives the same bits in every framework, value and
            gradients; the others differ by rounding (:mod:`d2lconv.parity.bounds` says how far).
            "loop" is the double loop of the lesson, as slow as it is clear; in TensorFlow it gives
            a variable, as the lesson's does, and no gradients, and MXNet does not record it.
            "matmul" is one matrix product (:func:`im2col`), "native" the framework's own
            convolution, "fft" goes through the Fourier transform, which MXNet lacks on the CPU,
            "banded" is a few products of small matrices. "auto" takes the fastest of these,
            all but "loop", for these sizes (:func:`explain`), and so accepts the bounds of all;
            who accepts less names a method. With "fft", "banded" and "auto", an infinity or NaN may
            reach output elements whose windows do not hold it.

    Returns:
        A native tensor of shape (h - kh + 1, w - kw + 1), of the wider of the two floating types.
        It can be differentiated with respect to X and K by the framework's own means.

    Raises:
        ShapeError: X or K is not a matrix, is empty or ragged, or K is larger than X.
        DTypeError: X or K is not of float16, float32, float64, integer or boolean type.
        MixedBackendsError: X and K are tensors of two frameworks.
        ArgumentError: There is no such method.

    Source:
        Dive into Deep Learning, section 7.2.1. The exact method: :mod:`d2lconv.contract`.

    Example:
        >>> import d2lconv as dc
        >>> dc.corr2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
        array([[19., 25.],
               [37., 43.]], dtype=float32)
    """
    return choose_for_two(X, K).ops.corr2d(X, K, method=method)


def explain(X: Any, K: Any) -> Explanation:
    """Tell which method ``corr2d(X, K, method="auto")`` takes, and why.

    Args:
        X: The image, shape (h, w).
        K: The kernel, shape (kh, kw), not larger than the image in either direction.

    Returns:
        An :class:`Explanation`: the method, the backend, the bound that its result keeps, and the
        microseconds that each method should take. Printed, it is one line.

    Raises:
        ShapeError: X or K is not a matrix, is empty or ragged, or K is larger than X.
        DTypeError: X or K is not of float16, float32, float64, integer or boolean type.
        MixedBackendsError: X and K are tensors of two frameworks.

    Source:
        The model and its constants: :mod:`d2lconv.costs`.

    Example:
        >>> import d2lconv as dc
        >>> dc.explain(dc.diagonal_image(512), dc.diagonal_image(63)).method
        'fft'
    """
    return costs.explain_for(choose_for_two(X, K), X, K)


def conv2d(X: Any, K: Any, *, method: str = "exact") -> Any:
    """Convolve an image with a kernel strictly: cross-correlate with the kernel flipped both ways.

    Args:
        X: The image, shape (h, w).
        K: The kernel, shape (kh, kw), not larger than the image in either direction.
        method: How it is computed, as in :func:`corr2d`.

    Returns:
        A native tensor of shape (h - kh + 1, w - kw + 1), of the wider of the two floating types.

    Raises:
        ShapeError: X or K is not a matrix, is empty or ragged, or K is larger than X.
        DTypeError: X or K is not of float16, float32, float64, integer or boolean type.
        MixedBackendsError: X and K are tensors of two frameworks.
        ArgumentError: There is no such method.

    Source:
        Dive into Deep Learning, section 7.2.5.

    Example:
        >>> import d2lconv as dc
        >>> dc.conv2d([[1, 2, 4]], [[1, -1]])
        array([[1., 2.]], dtype=float32)
    """
    return choose_for_two(X, K).ops.conv2d(X, K, method=method)


def Conv2D(
    kernel_size: tuple[int, int], *, weight: Any = None, bias: Any = None, seed: int = 0
) -> Any:
    """Make a native, trainable layer: a cross-correlation plus a scalar bias, for one channel.

    Args:
        kernel_size: Height and width of the kernel, a pair of integers.
        weight: The initial kernel, shape ``kernel_size``. None draws it uniformly from [0, 1).
        bias: The initial bias, a number. None starts at 0; False leaves the bias out.
        seed: The seed of the NumPy generator that draws the kernel, so that every framework
            starts from the same one.

    Returns:
        A ``torch.nn.Module``, ``keras.layers.Layer``, ``mxnet.gluon.Block`` or
        ``flax.linen.Module``, or a plain callable object in NumPy. Called with an image (h, w) it
        gives (h - kh + 1, w - kw + 1). Its parameters are ``weight`` (kh, kw) and ``bias`` (1,).
        It keeps its framework, whichever backend is in force later.

    Raises:
        ShapeError: kernel_size is not a pair of positive integers, or weight is not of that shape.
        DTypeError: weight or bias is not of float16, float32, float64, integer or boolean type.
        ArgumentError: seed is not an integer of at least 0.

    Source:
        Dive into Deep Learning, section 7.2.2.

    Example:
        >>> import d2lconv as dc
        >>> layer = dc.Conv2D((1, 2), weight=[[1, -1]], bias=0.5)
        >>> layer([[1, 1, 0]])
        array([[0.5, 1.5]], dtype=float32)
    """
    layers = choose(weight=weight, bias=bias).layers
    return layers.Conv2D(kernel_size, weight=weight, bias=bias, seed=seed)


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
        lr: The learning rate, greater than 0. The larger the image, the smaller it must be.
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
        ArgumentError: lr, epochs, seed or layer makes no sense.

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
    """
    return learn.learn_kernel(
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


def edge_image() -> Any:
    """Make the lesson's image: 6x8 ones whose columns 2 to 5 are zero, so white, black, white.

    Returns:
        A float32 tensor of shape (6, 8) of the backend in force.

    Source:
        Dive into Deep Learning, section 7.2.3.

    Example:
        >>> import d2lconv as dc
        >>> dc.edge_image()[0]
        array([1., 1., 0., 0., 0., 0., 1., 1.], dtype=float32)
    """
    return tensor(images.edge_image())


def diagonal_image(n: int) -> Any:
    """Make an image with a diagonal line: n x n zeros with ones on the main diagonal.

    Args:
        n: Height and width, at least 1.

    Returns:
        A float32 tensor of shape (n, n) of the backend in force.

    Raises:
        ArgumentError: n is not an integer of at least 1.

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 1.

    Example:
        >>> import d2lconv as dc
        >>> dc.diagonal_image(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return tensor(images.diagonal_image(n))


def photographs() -> dict[str, str]:
    """Name the photographs that come with the package.

    Returns:
        What each name shows, where it is from, and its licence; the names are for
        :func:`photograph`.

    Example:
        >>> import d2lconv as dc
        >>> list(dc.photographs())
        ['brick', 'cameraman', 'coins', 'rocket']
    """
    return dict(images.PHOTOGRAPHS)


def photograph(name: str) -> Any:
    """Take one of the photographs that come with the package, to try kernels on.

    Args:
        name: One of :func:`photographs`: "brick", "cameraman", "coins" or "rocket".

    Returns:
        A float32 tensor of shape (128, 128) of the backend in force, from 0, black, to 1, white.

    Raises:
        ArgumentError: There is no such photograph.

    Source:
        The sample images of scikit-image; all are free of copyright, see :func:`photographs`.

    Example:
        >>> import d2lconv as dc
        >>> dc.photograph("coins").shape
        (128, 128)
    """
    return tensor(images.photograph(name))


def load_image(path: str | PathLike[str]) -> Any:
    """Read a picture of your own, as an image in shades of grey.

    A colour becomes its luminance, 0.299 red + 0.587 green + 0.114 blue, the weights with which
    the eye's sensitivity enters Recommendation ITU-R BT.601. What is transparent lies on white. A
    photograph that was taken with the camera turned is turned upright.

    Args:
        path: The path of a PNG or JPEG file, or of another kind that Pillow reads.

    Returns:
        A float32 tensor of shape (height, width) of the backend in force, from 0, black, to 1,
        white. The file is read by Pillow in every backend, so the bits are the same.

    Raises:
        ArgumentError: There is no such file, or it is no picture, or has samples of 32 bits.
        ExtraNotInstalled: Pillow is not there.

    Example:
        >>> import d2lconv as dc
        >>> dc.load_image("holiday.png")
        Traceback (most recent call last):
        d2lconv.errors.ArgumentError: 'holiday.png' is no image that can be read \
(FileNotFoundError: [Errno 2] No such file or directory: 'holiday.png'); it must be the path of a \
picture, such as a PNG or JPEG file.
    """
    return tensor(images.load_image(path))


def im2col(X: Any, kernel_size: tuple[int, int]) -> Any:
    """Write the windows that a kernel slides over as the rows of a matrix.

    With it, a cross-correlation is a product: ``im2col(X, (kh, kw)) @ K.reshape(-1)`` has the
    elements of ``corr2d(X, K)``, row by row. It moves data and computes nothing, so it has the
    same bits in every framework.

    Args:
        X: The image, shape (h, w).
        kernel_size: Height and width (kh, kw) of the kernel, not larger than the image.

    Returns:
        A native tensor of shape ((h - kh + 1) * (w - kw + 1), kh * kw), of the image's floating
        type. The windows come in row-major order, and so do the elements in each of them. It can
        be differentiated with respect to X by the framework's own means.

    Raises:
        ShapeError: X is not a matrix, is empty or ragged; kernel_size is not a pair of positive
            integers, or is larger than X.
        DTypeError: X is not of float16, float32, float64, integer or boolean type.

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 4; Chellapilla, Puri and Simard, "High
        Performance Convolutional Neural Networks for Document Processing" (2006).

    Example:
        >>> import d2lconv as dc
        >>> dc.im2col([[0, 1, 2], [3, 4, 5], [6, 7, 8]], (2, 2))
        array([[0., 1., 3., 4.],
               [1., 2., 4., 5.],
               [3., 4., 6., 7.],
               [4., 5., 7., 8.]], dtype=float32)
    """
    return choose(X=X).ops.im2col(X, kernel_size)


def toeplitz(K: Any, input_shape: tuple[int, int], *, sparse: bool = False) -> Any:
    """Write a kernel as the matrix that does the same to a flattened image.

    ``toeplitz(K, X.shape) @ X.reshape(-1)`` has the elements of ``corr2d(X, K)``, row by row. The
    matrix is doubly blocked: block (i, m) is the Toeplitz matrix of the kernel's row m - i, and is
    zero where there is no such row. So the blocks are constant along the diagonals, and each block
    is constant along its own. It moves data and computes nothing, so it has the same bits in every
    framework.

    Args:
        K: The kernel, shape (kh, kw).
        input_shape: Height and width (h, w) of the image, not smaller than the kernel.
        sparse: Give a ``scipy.sparse.csr_array``, which stores no zeros, instead of a tensor. For
            large images: the dense matrix has more elements than the image has, squared. It has
            no gradients, and float16 becomes float32. Needs the extra "sparse".

    Returns:
        A native tensor of shape ((h - kh + 1) * (w - kw + 1), h * w), of the kernel's floating
        type. It can be differentiated with respect to K by the framework's own means.

    Raises:
        ShapeError: K is not a matrix, is empty or ragged; input_shape is not a pair of positive
            integers, is smaller than K, or so large that the dense matrix has no place in memory.
        DTypeError: K is not of float16, float32, float64, integer or boolean type.
        ExtraNotInstalled: SciPy is not there, and the sparse matrix is asked for.

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 4; Goodfellow, Bengio and Courville, *Deep
        Learning*, section 9.1.

    Example:
        >>> import d2lconv as dc
        >>> dc.toeplitz([[1, 2]], (2, 3))
        array([[1., 2., 0., 0., 0., 0.],
               [0., 1., 2., 0., 0., 0.],
               [0., 0., 0., 1., 2., 0.],
               [0., 0., 0., 0., 1., 2.]], dtype=float32)
    """
    return matrices.toeplitz(choose(K=K), K, input_shape, sparse=sparse)
