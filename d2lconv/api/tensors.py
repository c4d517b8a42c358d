"""What goes in and comes out: tensors, and what is written as a matrix."""

from typing import Any

from d2lconv.core import operations
from d2lconv.core.contract import FloatArray
from d2lconv.core.data import detached
from d2lconv.core.selection import choose


def tensor(data: Any, dtype: Any = None) -> Any:
    """Make a native tensor of a copy of the data.

    Args:
        data: Numbers, nested lists, NumPy arrays, or a native tensor, of any shape.
        dtype: "float16", "float32" or "float64", or a NumPy or native type of that name. None
            keeps a floating type; integers, booleans and lists become float32, which holds
            integers exactly up to 2**24. A uint8 photograph keeps its range, 0 to 255.

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
    return choose(data=data).tensors.tensor(data, dtype)


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
    return operations.transpose(choose(t=t), t)


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
    return operations.im2col(choose(X=X), X, kernel_size)


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
    return operations.toeplitz(choose(K=K), K, input_shape, sparse=sparse)
