"""The bound of a learning run."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.geometry import output_size
from d2lconv.errors import ShapeError
from d2lconv.parity.bounds.operands import operands
from d2lconv.parity.bounds.roundoff import gamma, underflow

Array = NDArray[np.float64]


def learning(
    X: Any, Y: Any, initial: Any, *, lr: float, epochs: int, dtype: Any = None
) -> tuple[Array, Array]:
    """How far the losses and the kernel of ``learn_kernel`` can be from those without rounding.

    Write the windows of X as the rows of a matrix A (m, n), m = H*W and n = kh*kw, and the kernel
    as a vector k. A step is D = A k - Y, g = 2 A^T D, k <- k - lr*g, which is M k + constant with
    M = I - 2 lr A^T A. Let e bound the error of k before the step, element by element. Then

        size of k:         K = |k| + e
        new error of D:    f = gamma(n+1) * (|A| K + |Y|)
        error of D:        d = |A| e + f
        error of the loss: the sum of 2 |D| d + d**2 + gamma(m) * (|D| + d)**2
        new error of g:    r = 2 |A|^T (f + gamma(m) * (|D| + d))
        size of g:         s = |g| + 2 |A|^T |A| e + r
        new error of k:    q = lr*r + gamma(3) * lr*s + gamma(1) * K
        e after the step:  |M| e + q

    The old error passes through M itself, which shrinks it wherever learning converges; only the
    new errors go through absolute values. In q, lr*s has three factors (lr rounded to the type,
    the product, the difference) and k has one. Doubling is exact.

    D, g and k are not known, but those of a run in float64 are. The same recursion in float64
    bounds how far these are off, and so the true ones: |D| is at most |D of that run| + d.

    Underflow adds what the module says: an operation loses less than ``tiny``, and a product with
    a subnormal operand less than ``tiny`` times the other one. If lr itself is below ``tiny``,
    all of it may be lost. Where a loss may overflow, its bound is infinite; where another number
    may, all bounds from there on are, and so they are where an operand is infinite or NaN.

    Args:
        X: The image (h, w).
        Y: The target (H, W).
        initial: The kernel (kh, kw) that learning starts from.
        lr: The learning rate, greater than 0.
        epochs: The number of steps.
        dtype: The floating type of the run, to which the operands are rounded; None is the widest
            one of X, Y and initial.

    Returns:
        The bounds of the losses (epochs,) and of the kernel (kh, kw), float64. Two honest runs
        differ by at most the sum of their bounds.
    """
    given, dtype = operands(dtype, X=X, Y=Y, initial=initial)
    X, Y, initial = (t.wide() for t in given)
    if Y.shape != output_size(X.shape, initial.shape):
        raise ShapeError(
            f"Y has the shape {Y.shape}; a kernel {initial.shape} on X {X.shape} gives "
            f"{output_size(X.shape, initial.shape)}, and Y must have that shape."
        )
    with np.errstate(all="ignore"):
        X, Y, initial = (t.astype(dtype).astype(np.float64) for t in (X, Y, initial))
        windows = np.lib.stride_tricks.sliding_window_view(X, initial.shape)
        A, y, k = windows.reshape(Y.size, initial.size), Y.ravel(), initial.ravel()
        step = _Step(A, np.abs(y), lr)
        own, e = np.zeros_like(k), np.zeros_like(k)
        losses = []
        for _ in range(epochs):
            D = A @ k - y
            g = 2 * (A.T @ D)
            sizes = np.abs(k), np.abs(D), np.abs(g)
            own_next, own_D, own_g, _ = step("float64", own, *sizes)
            e, _, _, loss = step(dtype, e, sizes[0] + own, sizes[1] + own_D, sizes[2] + own_g)
            losses.append(loss)
            own, k = own_next, k - lr * g
    return _known(np.array(losses)), _known(e).reshape(initial.shape)


class _Step:
    """One step of :func:`learning`: from the error before it to the errors in it and after it."""

    def __init__(self, A: Array, size_y: Array, lr: float) -> None:
        self.A, self.size_y, self.lr = np.abs(A), size_y, lr
        self.m, self.n = A.shape
        unit = np.eye(self.n)
        M = np.abs(unit - 2 * lr * (A.T @ A))
        # M is computed in float64 too: m products, two factors, one difference.
        self.M = M + gamma(self.m + 3, "float64") * (unit + 2 * lr * (self.A.T @ self.A))
        self.slack = 1 + 8 * (self.m + self.n + 8) * 2.0**-53

    def __call__(
        self, dtype: str, e: Array, k: Array, D: Array, g: Array
    ) -> tuple[Array, Array, Array, float]:
        """The errors of k after the step, D, g and the loss; k, D, g bound the true ones' sizes."""
        A, m, n, lr, slack = self.A, self.m, self.n, self.lr, self.slack
        info, once = np.finfo(dtype), underflow(dtype)
        flushed = 0.0 if dtype == "float16" else once  # what a subnormal operand loses
        for_D, for_sums = gamma(n + 1, dtype), gamma(m, dtype)
        K = k + e
        terms = A @ K + self.size_y
        lost = 2 * (n + 1) * once + flushed * (A.sum(1) + K.sum() + 1)
        f = for_D * terms + (1 + for_D) * lost
        d = (A @ e + f) * slack
        size_D = D + d
        lost_loss = 2 * m * once + 2 * flushed * size_D.sum()
        squares = float((size_D**2).sum()) * slack
        loss = float((2 * D * d + d * d).sum()) + for_sums * squares + (1 + for_sums) * lost_loss
        lost = 2 * (2 * m * once + flushed * (A.sum(0) + size_D.sum()))
        r = 2 * (A.T @ (f + for_sums * size_D)) + (1 + for_sums) * lost
        error_g = (2 * (A.T @ (A @ e)) + r) * slack
        s = g + error_g
        rate = min(lr, once) if lr < float(info.tiny) else 0.0  # lost of lr beyond its rounding
        q = lr * r + (gamma(3, dtype) * lr + 2 * rate) * s + gamma(1, dtype) * K
        q += 3 * once + flushed * (lr + s + 1)
        after = (self.M @ e + q) * slack
        # Where all that is reached is below the largest number, and no NaN, nothing overflows.
        sums = (1 + for_D) * terms, 2 * (A.T @ size_D) + r, s, K + lr * s, np.array([lr])
        if not (np.concatenate(sums) < float(info.max)).all():
            after = np.full_like(e, math.inf)
        if not max(float(terms.max()), (1 + for_sums) * squares) < float(info.max):
            loss = math.inf
        return after, d, error_g, loss * slack


def _known(bound: Array) -> Array:
    """The bound, infinite where it came out as NaN."""
    return np.where(np.isnan(bound), math.inf, bound)
