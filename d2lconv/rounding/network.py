"""The other pieces of a network, correctly rounded, on NumPy arrays.

Each element of a result is a function of the float numbers that are given, and is that function's
true value, rounded once. This holds for gradients too, which take the gradient at the output as it
is. Pooling is in :mod:`d2lconv.rounding.pools`, cross-entropy in
:mod:`d2lconv.rounding.cross_entropy`.

Infinities and NaN: as the formulas have them. float64 operands are right, but slow.
"""

import numpy as np

from d2lconv.core.contract import FloatArray
from d2lconv.errors import DTypeError, ShapeError
from d2lconv.rounding.certificate import certify, zeros_are_positive
from d2lconv.rounding.cross_entropy import softmax_cross_entropy, softmax_cross_entropy_gradient
from d2lconv.rounding.means import quotients
from d2lconv.rounding.pools import avg_pool, avg_pool_gradient, max_pool_gradient, overlap
from d2lconv.rounding.products import NUMPY, Arithmetic
from d2lconv.rounding.round import FLOATS, widen
from d2lconv.rounding.settle import settle, settle_sum

__all__ = [
    "avg_pool",
    "avg_pool_gradient",
    "dense",
    "dense_gradients",
    "max_pool_gradient",
    "mean",
    "overlap",
    "softmax_cross_entropy",
    "softmax_cross_entropy_gradient",
    "sums",
]
GATHERED = 2**21  # products that are settled at once


def dense(
    X: FloatArray, W: FloatArray, b: FloatArray | None = None, *, by: Arithmetic = NUMPY
) -> FloatArray:
    """A fully connected layer: the products of rows of X and W, and a bias, added, rounded once.

    Args:
        X: The inputs (n, i).
        W: The weights (o, i), of X's type.
        b: The biases (o,), of X's type; None for none.
        by: Computes in float64, if not NumPy.

    Returns:
        The outputs (n, o), of X's type.

    Raises:
        ShapeError: The shapes do not fit each other.
        DTypeError: The types differ, or are not float16, float32 or float64.

    Example:
        >>> dense(np.float32([[1, 2**-24]]), np.float32([[1, 1]]), np.float32([2**-40]))
        array([[1.0000001]], dtype=float32)
    """
    _check(X, W, b)
    values, undecided = np.empty((len(X), len(W)), X.dtype), np.ones((len(X), len(W)), np.bool_)
    if X.dtype != np.float64:
        x, w = widen(X), widen(W)
        bias = None if b is None else widen(b)
        with np.errstate(all="ignore"):
            total = np.empty((len(x), len(w)))
            by.matmul(x[None], w.T[None], total[None])
            if bias is not None:
                total += bias
            norms_x, norms_w = (np.sqrt(np.square(a).sum(axis=1)) for a in (x, w))
        # Where all terms are 0, one bias of +0 makes the sum +0, as one product of +0 does.
        positive = zeros_are_positive(x, w) or (bias is not None and not np.signbit(bias).any())
        values, undecided = certify(
            total,
            norms_x[:, None],
            norms_w,
            X.shape[1],
            X.dtype,
            bias=bias,
            positive_zeros=positive,
        )
    where = np.argwhere(undecided)
    step = max(1, GATHERED // max(1, X.shape[1]))
    for start in range(0, len(where), step):
        n, o = where[start : start + step].T
        bias = None if b is None else b[o]
        values[n, o] = settle(X[n], W[o], X.dtype, bias=bias).values
    return values


def dense_gradients(
    X: FloatArray, W: FloatArray, G: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The gradients of :func:`dense`: sums over outputs and over examples, rounded once.

    Args:
        X: The inputs (n, i).
        W: The weights (o, i).
        G: The gradient at the output (n, o).

    Returns:
        The gradients with respect to X (n, i), W (o, i) and b (o,).

    Raises:
        ShapeError: The shapes do not fit each other.
        DTypeError: The types differ, or are not float16, float32 or float64.

    Example:
        >>> X, W, G = np.float32([[1, 2]]), np.float32([[3, 4]]), np.float32([[5]])
        >>> [gradient.tolist() for gradient in dense_gradients(X, W, G)]
        [[[15.0, 20.0]], [[5.0, 10.0]], [5.0]]
    """
    _check(X, W, None)
    if G.shape != (len(X), len(W)) or G.dtype != X.dtype:
        raise ShapeError(
            f"the gradient has shape {G.shape} and type {G.dtype}; it must have {len(X), len(W)} "
            f"and {X.dtype}."
        )
    return dense(G, W.T), dense(G.T, X.T), settle_sum(G.T, G.dtype).values


def sums(terms: FloatArray) -> FloatArray:
    """The sum of each row (m, n), rounded once: (m,).

    Example:
        >>> sums(np.float32([[1, 2**-24, 2**-60], [1, 2**-24, 0]]))
        array([1.0000001, 1.       ], dtype=float32)
    """
    return quotients(terms, 1)


def mean(values: FloatArray) -> FloatArray:
    """The mean of all elements, as a function of these floats, rounded once: of losses, say.

    Args:
        values: Of any shape, one element or more; float16, float32 or float64.

    Returns:
        An array without dimensions, of the same type.

    Raises:
        DTypeError: The type is another one.
        ShapeError: There are no elements.

    Example:
        >>> mean(np.float32([1, 2, 2]))
        array(1.6666666, dtype=float32)
    """
    if not values.size:
        raise ShapeError(f"the values have shape {values.shape}; give one value or more.")
    return quotients(values.reshape(1, -1), values.size).reshape(())


def _check(X: FloatArray, W: FloatArray, b: FloatArray | None) -> None:
    """Inputs, weights and biases of a layer fit each other."""
    bias = "none" if b is None else str(b.shape)
    if X.ndim != 2 or W.ndim != 2 or X.shape[1] != W.shape[1]:
        raise ShapeError(f"X has shape {X.shape} and W {W.shape}; give (n, i) and (o, i).")
    if b is not None and b.shape != W.shape[:1]:
        raise ShapeError(f"the bias has shape {bias}; for W of {W.shape} give {W.shape[:1]}.")
    types = [a.dtype.name for a in (X, W, b) if a is not None]
    if len(set(types)) > 1 or types[0] not in FLOATS:
        raise DTypeError(
            f"the types are {', '.join(types)}; give float16, float32 or float64, and the same "
            "for all."
        )
