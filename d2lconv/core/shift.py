"""Shift and add, for all frameworks: the contract on whole arrays.

Plain slices, products and sums, so that one text runs in NumPy, PyTorch, TensorFlow, MXNet and
JAX, step by step, with the same bits. Inside a compiler it is not safe: see each backend's
``exact``, which says what it does there and why.

Images are (n, g, c, h, w), padding included, and kernels (g, o, c, kh, kw): g groups of c channels
and o outputs.
"""

from collections.abc import Callable
from operator import add, mul
from typing import Any

from d2lconv.core.contract import fold
from d2lconv.core.geometry import Geometry

Times = Callable[[Any, Any], Any]


def shift_and_add(X: Any, K: Any, geometry: Geometry, times: Times = mul, plus: Times = add) -> Any:
    """The cross-correlation (n, g, o, H, W): each channel by itself, and then their sum."""
    Y = None
    for c in range(geometry.in_groups[0]):
        channel = None
        for a, b, rows, columns in geometry.taps():
            x, k = X[:, :, None, c, rows, columns], K[:, :, c, a, b, None, None]
            term = times(x, k)
            channel = term if channel is None else plus(channel, term)
        Y = channel if Y is None else plus(Y, channel)
    return Y


def shift_and_sum(
    X: Any, G: Any, geometry: Geometry, stack: Any, tree_sum: Any, times: Times = mul
) -> Any:
    """The kernels' gradient (g, o, c * kh * kw), for G (g, o, n, H, W).

    Args:
        X: The images, here (g, 1, c, n, h, w).
        G: The gradient at the output.
        geometry: The shapes.
        stack: The framework's function that stacks a list of tensors along a new last axis.
        tree_sum: Sums the last axis, and the two before it, by the contract's tree.
        times: The product.
    """
    dK = [
        tree_sum(times(X[:, :, c, :, rows, columns], G))
        for c in range(geometry.in_groups[0])
        for _, _, rows, columns in geometry.taps()
    ]
    return stack(dK)


def max_over(X: Any, geometry: Geometry, where: Any, *others: Any) -> list[Any]:
    """The maxima (n, c, H, W) of windows of X (n, c, h, w), and what others have at their places.

    Args:
        X: The images, padded with -inf.
        geometry: The shapes.
        where: The framework's choice between two tensors, element by element.
        others: For each element of the window a tensor to take along: functions of its number,
            rows and columns.
    """
    best: list[Any] = []
    for number, (_, _, rows, columns) in enumerate(geometry.taps()):
        x = X[:, :, rows, columns]
        new = [x, *(other(number, rows, columns) for other in others)]
        if best:
            # A later element is taken if it is greater, or the first NaN.
            taken = (x > best[0]) | ((x != x) & (best[0] == best[0]))
            new = [where(taken, n, b) for n, b in zip(new, best, strict=True)]
        best = new
    if geometry.kernel[2:] == (1, 1):  # so far these are parts of X
        best = [where(t == t, t, t) for t in best]
    return best


def sum_over(X: Any, geometry: Geometry, plus: Times = add) -> Any:
    """The sums (n, c, H, W) of windows of X (n, c, h, w), its padding included."""
    total = None
    for _, _, rows, columns in geometry.taps():
        x = X[:, :, rows, columns]
        total = x if total is None else plus(total, x)
    return total


def folded(A: Any, concatenate: Any) -> Any:
    """The sums of A (..., n) along its last axis, always in the same order: a tree of additions.

    Args:
        A: The terms.
        concatenate: The framework's function that joins a list of tensors along their last axis.
    """
    n = A.shape[-1]
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else concatenate([sums, A[..., n - p : p]])
        n = p
    return A[..., 0]
