"""How far rounding can carry a result from the true value: a-priori bounds, each with its proof.

A result within its bound may be honest arithmetic in another order. A result beyond it is not:
no order of the additions, no fusion, no wider intermediate type can explain it.

**The model.** A floating-point operation gives the true value times (1 + d), |d| <= u, where u is
the unit roundoff: 2**-11 for float16, 2**-24 for float32, 2**-53 for float64. k such factors
multiplied are 1 + t with |t| <= gamma(k) = k*u / (1 - k*u), for k*u < 1. (Higham, *Accuracy and
Stability of Numerical Algorithms*, 2nd ed., sections 2.2 and 3.1, lemma 3.1.)

**A sum of n products** is rounded n - 1 times on the way of a term through the additions at most,
whatever their order, and once in the product, unless a fused multiply-add leaves that out. So every
term carries at most n factors, and with S the sum of the absolute values of the products

    |computed - true| <= gamma(n) * S            (Higham, section 3.1, equation 3.5).

A wider type on the way has smaller factors, and rounding its result at the end is one factor.

**Underflow** is not in that model. A product below the smallest normal number ``tiny`` is off by
less than ``tiny`` where hardware flushes it to zero, and less where it does not; so is a partial
sum that is flushed. That adds at most 2*n*tiny, times 1 + gamma(n) for the roundings after it.
Where subnormal *operands* are flushed, the whole term is lost: |x|*|k| for a subnormal x or k,
which is no small number if the other is large. These terms are added up too.

**Overflow.** Where S * (1 + gamma(n)) reaches the largest number of the type, some order may
overflow and another not, so the bound is infinite. Elsewhere an infinity or NaN comes from an
infinity or NaN among the operands, and is the same in every order.

The bounds are computed in float64, and enlarged by what that can round off.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv import checks, data, registry
from d2lconv.contract import power_of_two

Array = NDArray[np.float64]
Operation = Callable[[Array, Array], Array]


def gamma(n: float, dtype: Any) -> float:
    """The largest relative error of n roundings in a row: n*u / (1 - n*u), infinite if n*u >= 1.

    Args:
        n: The number of roundings.
        dtype: The floating type that is rounded to.

    Source:
        Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., lemma 3.1.

    Example:
        >>> gamma(1024, "float16")
        1.0
    """
    nu = n * unit_roundoff(dtype)
    return nu / (1 - nu) if nu < 1 else math.inf


def unit_roundoff(dtype: Any) -> float:
    """The largest relative error of one rounding to nearest: half the distance from 1 to the next.

    Example:
        >>> unit_roundoff("float32") == 2**-24
        True
    """
    return float(np.finfo(data.dtype_name(dtype)).eps) / 2


def corr2d(X: Any, K: Any, dtype: Any = None) -> Array:
    """How far a computed cross-correlation can be from the true one, by rounding alone.

    Each output element is a sum of kh*kw products: gamma(kh*kw) times the cross-correlation of
    the absolute values, and what may underflow.

    Args:
        X: The image (h, w), a tensor of any framework or neutral data.
        K: The kernel (kh, kw).
        dtype: The floating type of the result; None is the wider one of X and K.

    Returns:
        The bound for each output element, float64 (h - kh + 1, w - kw + 1). Two results that are
        both honest differ by at most the sum of their bounds.

    Raises:
        ShapeError, DTypeError: X or K is not what ``d2lconv.corr2d`` takes.

    Example:
        >>> bound = corr2d([[1, 2]], [[3, 4]])  # 1*3 + 2*4 = 11, two roundings
        >>> f"{float(bound[0, 0]) / unit_roundoff('float32'):.3f}"
        '22.000'
    """
    X, K, dtype = _operands(dtype, X=X, K=K)
    checks.output_shape(X.shape, K.shape)
    return _bilinear(registry.load("numpy").ops.corr2d_exact, X, K, K.size, dtype)


def kernel_gradient(X: Any, G: Any, dtype: Any = None) -> Array:
    """The same for the gradient with respect to the kernel, a sum of H*W products for each.

    Args:
        X: The image (h, w).
        G: The gradient (H, W) at the output.
        dtype: The floating type of the result; None is the wider one of X and G.

    Returns:
        The bound for each element of the gradient, float64 (h - H + 1, w - W + 1).
    """
    X, G, dtype = _operands(dtype, X=X, G=G)
    checks.output_shape(X.shape, G.shape)
    return _bilinear(registry.load("numpy").ops.kernel_gradient, X, G, G.size, dtype)


def image_gradient(K: Any, G: Any, dtype: Any = None) -> Array:
    """The same for the gradient with respect to the image, a sum of at most kh*kw products.

    Args:
        K: The kernel (kh, kw).
        G: The gradient (H, W) at the output.
        dtype: The floating type of the result; None is the wider one of K and G.

    Returns:
        The bound for each element of the gradient, float64 (H + kh - 1, W + kw - 1).
    """
    K, G, dtype = _operands(dtype, K=K, G=G)
    return _bilinear(registry.load("numpy").ops.image_gradient, K, G, K.size, dtype)


def fft(X: Any, K: Any, dtype: Any = None) -> Array:
    """How far a cross-correlation by the fast Fourier transform can be from the true one.

    An FFT mixes all elements, so the error of one output element is bounded by the size of all of
    X and K, not by that of its window. Let N be the number of elements of the transforms, sides
    being powers of two, and L = log2 N.

    *One transform.* Radix-2 butterflies pass every element through L stages: a product with a
    root of unity, itself rounded (relative error u), and an addition. A complex product has an
    error of at most sqrt(2)*gamma(2), so a stage has at most e = (1+u) * (1+sqrt(2)*gamma(2)) *
    (1+u) - 1, and a transform at most p = (1+e)**(L+2) - 1, with two stages to spare for packing
    real input. Larger radices do the work of several stages with fewer roundings. For the
    transforms Fx and Fk of X and K:

        |error of Fk| <= p * ||K||_1 in each element;   ||error of Fx||_2 <= p * sqrt(N) * ||X||_2

    since each element of a transform is a sum in which an input element has passed all stages,
    and since each stage is sqrt(2) times a unitary matrix (Higham, section 24.1, theorem 24.2).

    *The product* of the two is at most ||K||_1 * sqrt(N) * ||X||_2 in the 2-norm, its relative
    error (1+p)**2 * (1+sqrt(2)*gamma(2)) - 1. *The way back* divides the 2-norm by sqrt(N), with
    another factor 1+p, and one rounding for the division by N. No element is larger than the
    2-norm, hence for every output element

        |computed - true| <= ||X||_2 * ||K||_1 * ((1+p)**3 * (1+sqrt(2)*gamma(2)) * (1+u) - 1).

    float16 is transformed in float32, and rounded at the end. What underflows on the way adds
    less than ``tiny`` an operation, magnified no more than the signal is. Where the transforms
    could overflow, and where an operand is infinite or NaN, the bound is infinite.

    Args:
        X: The image (h, w).
        K: The kernel (kh, kw).
        dtype: The floating type of the result; None is the wider one of X and K.

    Returns:
        The bound for each output element, float64 (h - kh + 1, w - kw + 1).

    Source:
        Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 24.1, and lemma
        3.5 for the complex product; combined here for the cross-correlation.
    """
    X, K, dtype = _operands(dtype, X=X, K=K)
    shape = checks.output_shape(X.shape, K.shape)
    work = "float64" if dtype == "float64" else "float32"
    u, pair = unit_roundoff(work), math.sqrt(2) * gamma(2, work)
    sides = [power_of_two(side) for side in X.shape]
    N, stages = math.prod(sides), sum(side.bit_length() - 1 for side in sides) + 2
    p = ((1 + u) * (1 + pair) * (1 + u)) ** stages - 1
    with np.errstate(over="ignore", invalid="ignore"):
        size_x, size_k = float(np.sqrt((X * X).sum())), float(np.abs(K).sum())
        rounding = size_x * size_k * ((1 + p) ** 3 * (1 + pair) * (1 + u) - 1)
        tiny = float(np.finfo(work).tiny)
        underflow = 8 * stages * N * tiny * (1 + size_k + float(np.abs(X).sum()))
        largest = N * float(np.abs(X).sum()) * size_k * (1 + p) ** 3
        bound = np.full(shape, (rounding + underflow) * (1 + 1e-9))
        if dtype == "float16":
            size = registry.load("numpy").ops.corr2d_exact(np.abs(X), np.abs(K)) + bound
            bound += unit_roundoff(dtype) * size + float(np.finfo(dtype).smallest_subnormal)
            bound[size > float(np.finfo(dtype).max)] = math.inf
    if not largest < float(np.finfo(work).max):  # NaN too
        bound[:] = math.inf
    return bound


def learning(
    X: Any, Y: Any, initial: Any, *, lr: float, epochs: int, dtype: Any = None
) -> tuple[Array, Array]:
    """How far the losses and the kernel of ``learn_kernel`` can be from those without rounding.

    Write the windows of X as the rows of a matrix A (m, n), m = H*W and n = kh*kw, and the kernel
    as a vector k. A step is D = A k - Y, g = 2 A^T D, k <- k - lr*g, which is M k + constant with
    M = I - 2 lr A^T A. Let e bound the error of k before the step, element by element. Then

        new error of D:    f = gamma(n+1) * (|A| (|k| + e) + |Y|)
        error of D:        d = |A| e + f
        error of the loss: the sum of 2 |D| d + d**2 + gamma(m+1) * (|D| + d)**2
        new error of g:    r = 2 |A|^T (f + gamma(m) * (|D| + d))
        size of g:         s = |g| + 2 |A|^T |A| e + r
        new error of k:    q = lr*r + gamma(3) * lr*s + u * (|k| + e + 2*lr*s)
        e after the step:  |M| e + q

    The old error passes through M itself, which shrinks it wherever learning converges; only the
    new errors go through absolute values. D, g and k are those of a run in float64, whose own
    error has the same bound in float64, and is added. Underflow adds 2*tiny for an operation, as
    long as no operand is subnormal.

    Args:
        X: The image (h, w).
        Y: The target (H, W).
        initial: The kernel (kh, kw) that learning starts from.
        lr: The learning rate.
        epochs: The number of steps.
        dtype: The floating type of the run; None is the widest one of X, Y and initial.

    Returns:
        The bounds of the losses (epochs,) and of the kernel (kh, kw), float64. Two honest runs
        differ by at most the sum of their bounds.
    """
    X, Y, initial, dtype = _operands(dtype, X=X, Y=Y, initial=initial)
    runs = [_learning(X, Y, initial, lr, epochs, kind) for kind in (dtype, "float64")]
    (losses, kernel), (own_losses, own_kernel) = runs
    with np.errstate(over="ignore", invalid="ignore"):
        return _known(losses + own_losses), _known(kernel + own_kernel).reshape(initial.shape)


@np.errstate(over="ignore", invalid="ignore")
def _learning(
    X: Array, Y: Array, initial: Array, lr: float, epochs: int, dtype: str
) -> tuple[Array, Array]:
    windows = np.lib.stride_tricks.sliding_window_view(X, initial.shape)
    A, y, k = windows.reshape(Y.size, initial.size), Y.ravel(), initial.ravel().copy()
    size_A, size_y = np.abs(A), np.abs(y)
    M = np.abs(np.eye(k.size) - 2 * lr * A.T @ A)
    u, n, m = unit_roundoff(dtype), k.size, y.size
    tiny = float(np.finfo(dtype).tiny)
    e, losses = np.zeros_like(k), []
    for _ in range(epochs):
        D = A @ k - y
        g = 2 * A.T @ D
        f = gamma(n + 1, dtype) * (size_A @ (np.abs(k) + e) + size_y) + 2 * (n + 1) * tiny
        d = size_A @ e + f
        size_D = np.abs(D) + d
        loss = 2 * np.abs(D) * d + d * d + gamma(m + 1, dtype) * size_D**2 + 2 * tiny
        r = 2 * size_A.T @ (f + gamma(m, dtype) * size_D) + 4 * m * tiny
        s = np.abs(g) + 2 * size_A.T @ (size_A @ e) + r
        q = lr * r + gamma(3, dtype) * lr * s + u * (np.abs(k) + e + 2 * lr * s) + 2 * tiny
        losses.append(float(loss.sum()) * (1 + 4 * m * 2.0**-53))
        e = (M @ e + q) * (1 + 4 * m * 2.0**-53)
        k = k - lr * g
    return np.array(losses), e


def _operands(dtype: Any, **named: Any) -> tuple[Any, ...]:
    """The operands in float64, and the name of the type of the result."""
    arrays = []
    for name, value in named.items():
        arrays.append(data.detached(value, name))
        checks.matrix(arrays[-1].shape, name)
    widest = max((array.dtype.name for array in arrays), key=data.FLOATS.index)
    return (
        *(array.astype(np.float64) for array in arrays),
        widest if dtype is None else data.dtype_name(dtype),
    )


@np.errstate(over="ignore", invalid="ignore", under="ignore")
def _bilinear(operation: Operation, A: Array, B: Array, n: int, dtype: str) -> Array:
    """The bound of sums of n products of an element of A and one of B."""
    info = np.finfo(dtype)
    largest, tiny = float(info.max), float(info.tiny)
    g = gamma(n, dtype)
    size_A, size_B = _finite(A), _finite(B)
    S = operation(size_A, size_B) * (1 + 4 * n * 2.0**-53)
    bound = np.where(S > 0, g * S, 0) + 2 * n * tiny * (1 + min(g, 1.0))
    small_A, small_B = _subnormal(A, tiny), _subnormal(B, tiny)
    if small_A.any() or small_B.any():
        bound += operation(small_A, size_B) + operation(size_A, small_B)
        special = operation(small_A, _special(B)) + operation(_special(A), small_B)
        bound[special > 0] = math.inf  # infinity * subnormal: infinite, or NaN where it is flushed
    bound[~(S * (1 + g) < largest)] = math.inf
    return bound


def _finite(A: Array) -> Array:
    return np.where(np.isfinite(A), np.abs(A), 0)


def _subnormal(A: Array, tiny: float) -> Array:
    return np.where(np.abs(A) < tiny, np.abs(A), 0)


def _special(A: Array) -> Array:
    return np.where(np.isfinite(A), 0.0, 1.0)


def _known(bound: Array) -> Array:
    """The bound, infinite where it came out as NaN."""
    return np.where(np.isnan(bound), math.inf, bound)
