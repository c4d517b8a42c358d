"""How far rounding can carry a result from the true value: a-priori bounds, each with its proof.

A result within its bound may be honest arithmetic in another order. A result beyond it is not:
no order of the additions, no fusion, no wider intermediate type can explain it.

**The model.** A floating-point operation, rounded to nearest, gives the true value times (1 + d),
|d| <= u, where u is the unit roundoff: 2**-11 for float16, 2**-24 for float32, 2**-53 for float64
(Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 2.2). k such factors
multiplied are 1 + t with |t| <= exp(k*u) - 1, since 1 + u <= exp(u) and 1 - (1-u)**k <= k*u. This
is at most the usual k*u / (1 - k*u) (lemma 3.1 there), and needs no condition on k.

An operation may be done in a wider type and its result rounded again (float16 by way of float32,
float64 in the 80 bits of an x87), which gives two factors, the first with 2**-11 * u at most. So

    gamma(k) = exp(k * u * (1 + 2**-11)) - 1

bounds the relative error of k operations in either manner.

**A sum of n products** is rounded n - 1 times on the way of a term through the additions at most,
whatever their order, and once in the product, unless a fused multiply-add leaves that out. So every
term carries at most n factors, and with S the sum of the absolute values of the products

    |computed - true| <= gamma(n) * S            (Higham, section 3.1, equation 3.5).

Summing in a wider type and rounding at the end gives a term n factors of the wider type and one
more, and n * 2**-11 * u + u <= n * u * (1 + 2**-11). Operands that are of a wider type than the
result, and not numbers of its type, have to be rounded first: one factor more for either of them.
Compensated summation (Kahan's) is no mere order of additions, but closer to the true value: a term
carries 2*u + O(n*u**2), and u from the product (Higham, section 4.3).

**Underflow** is not in that model. A product or a partial sum below the smallest normal number
``tiny`` is off by less than ``tiny`` where hardware flushes it to zero, and by less still where it
does not. There are less than 2*n of them, so that this adds at most 2*n*tiny, times 1 + gamma(n)
for the roundings after it. Where subnormal *operands* are flushed, the whole term is lost: |x|*|k|
for a subnormal x or k, which is no small number if the other is large. These terms are added up
too. float16 is never flushed (x86 ignores the switch for it, and frameworks compute it by way of
float32): there an operation is off by less than the smallest subnormal number instead of ``tiny``.

**Overflow.** Where S * (1 + gamma(n)) reaches the largest number of the type, some order may
overflow and another not, so the bound is infinite. Elsewhere an infinity or NaN comes from an
infinity or NaN among the operands, and is the same in every order.

**What is not covered**, because it computes something else than this sum: fast algorithms, whose
error depends on more than the terms of one sum (Strassen's, Winograd's; for :func:`fft` there is a
bound of its own), and types that are narrower than they are called (TF32 or bfloat16 in the place
of float32).

The bounds are computed in float64, and enlarged by what that can round off.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv import checks, data, registry
from d2lconv.contract import power_of_two
from d2lconv.errors import ShapeError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Operation = Callable[[Array, Array], Array]


WIDER = 2.0**-11  # the unit roundoff of a wider type, as a share of the narrower one's, at most


def gamma(n: float, dtype: Any) -> float:
    """The largest relative error of n operations in a row: exp(n * u * (1 + 2**-11)) - 1.

    Args:
        n: The number of operations.
        dtype: The floating type that is rounded to.

    Example:
        >>> round(gamma(1024, "float16"), 4)  # 1.0 by the usual n*u / (1 - n*u)
        0.6491
    """
    exponent = n * unit_roundoff(dtype) * (1 + WIDER)
    return math.expm1(exponent) if exponent < 700 else math.inf


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
        The bound for each output element, float64 (h - kh + 1, w - kw + 1), infinite where an
        order may overflow. Two results that are both honest differ by at most the sum of their
        bounds.

    Raises:
        ShapeError, DTypeError: X or K is not what ``d2lconv.corr2d`` takes.

    Example:
        >>> bound = corr2d([[1, 2]], [[3, 4]])  # 1*3 + 2*4 = 11, two roundings
        >>> f"{float(bound[0, 0]) / unit_roundoff('float32'):.2f}"
        '22.01'
    """
    finite, overflow = corr2d_parts(X, K, dtype)
    return np.where(overflow, math.inf, finite)


def corr2d_parts(X: Any, K: Any, dtype: Any = None) -> tuple[Array, Mask]:
    """The bound of :func:`corr2d` in two parts, for who knows the result.

    An infinity or NaN stays one through all further additions. So a finite result had no overflow
    on its way, and obeys the bound of the rounding even where another order may overflow.

    Returns:
        The bound of a finite result, and where an infinity or NaN may be another order's overflow.
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
    operation = registry.load("numpy").ops.kernel_gradient
    finite, overflow = _bilinear(operation, X, G, G.size, dtype)
    return np.where(overflow, math.inf, finite)


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
    operation = registry.load("numpy").ops.image_gradient
    finite, overflow = _bilinear(operation, K, G, K.size, dtype)
    return np.where(overflow, math.inf, finite)


def fft(X: Any, K: Any, dtype: Any = None) -> Array:
    """How far a cross-correlation by the fast Fourier transform can be from the true one.

    An FFT mixes all elements, so the error of one output element is bounded by the size of all of
    X and K, not by that of its window. Let the sides of the transforms be powers of two, with room
    for X and, if one likes, for K beside it (a linear instead of a cyclic correlation). Let N be
    the number of elements, L = log2 N, and ||.|| the 2-norm.

    *One transform.* Radix-2 butterflies pass every element through L stages: a product with a
    root of unity, itself rounded (relative error u), and an addition. A complex product has an
    error of at most sqrt(2)*gamma(2), a complex sum of u, so a stage has at most
    e = (1+u) * (1+sqrt(2)*gamma(2)) * (1+u) - 1, and a transform at most p = (1+e)**(L+2) - 1.
    The two stages to spare are for packing real input into half as many complex elements and
    unpacking their transform: an addition, a product with a root of unity, an addition. Larger
    radices do the work of several stages with fewer roundings. Each stage is sqrt(2) times a
    unitary matrix, the unpacking too, hence for the transforms Fx and Fk (Higham, section 24.1,
    theorem 24.2)

        ||error of Fx|| <= p * sqrt(N) * ||X||;   ||error of Fk|| <= p * sqrt(N) * ||K||.

    *The product* P of the two, element by element. By Cauchy and Schwarz, the sum of its moduli is
    at most ||Fx|| * ||Fk|| = N * ||X|| * ||K||, and the sum of the moduli of its errors at most
    that times (1+p)**2 * (1+sqrt(2)*gamma(2)) - 1.

    *The way back* makes every output element a sum of all elements of P, each times a factor of
    modulus 1, divided by N. So the errors of P add at most their sum / N. Its own roundings add at
    most 2*p times the sum of the moduli of P / N: an element passes all stages once, but where
    real output is unpacked, it comes in twice, by the sum and by the difference of two elements,
    even though one of the two contributions cancels. The division by N is one rounding.

    Since 1 + 2*p <= (1+p)**2, all this makes for every output element

        |computed - true| <= ||X|| * ||K|| * ((1+p)**4 * (1+sqrt(2)*gamma(2)) * (1+u) - 1).

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
        3.5 for the complex operations; combined here for the cross-correlation.
    """
    X, K, dtype = _operands(dtype, X=X, K=K)
    shape = checks.output_shape(X.shape, K.shape)
    work = "float64" if dtype == "float64" else "float32"
    sides = [power_of_two(h + kh - 1) for h, kh in zip(X.shape, K.shape, strict=True)]
    N, stages = math.prod(sides), sum(side.bit_length() - 1 for side in sides) + 2
    # All factors are at most exponentials, and add up there: 1 + 2**-53 is 1 in float64.
    u, pair = gamma(1, work), math.sqrt(2) * gamma(2, work)
    relative = math.expm1(4 * stages * (2 * u + pair) + pair + u)
    narrowed = _narrowed(X, dtype) + _narrowed(K, dtype)
    tiny = float(np.finfo(work).tiny)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        sum_x, sum_k = np.abs(X).sum(), np.abs(K).sum()
        size = math.hypot(*X.flat) * math.hypot(*K.flat)
        rounding = size * (relative + (1 + relative) * gamma(narrowed, dtype))
        underflow = 8 * stages * N * tiny + narrowed * _underflow(dtype)
        bound = np.full(shape, (rounding + underflow * (1 + sum_k + sum_x)) * (1 + 1e-9))
        if dtype == "float16":
            result = registry.load("numpy").ops.corr2d_exact(np.abs(X), np.abs(K)) + bound
            bound += gamma(1, dtype) * result + _underflow(dtype)
            bound[result > float(np.finfo(dtype).max)] = math.inf
        largest = max(N * sum_x * sum_k, sum_x, sum_k) * (1 + relative)
    beyond = _beyond(X, dtype).any() or _beyond(K, dtype).any()
    if beyond or not largest < float(np.finfo(work).max):  # NaN too
        bound[:] = math.inf
    return bound


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
    X, Y, initial, dtype = _operands(dtype, X=X, Y=Y, initial=initial)
    if Y.shape != checks.output_shape(X.shape, initial.shape):
        raise ShapeError(
            f"Y has the shape {Y.shape}; a kernel {initial.shape} on X {X.shape} gives "
            f"{checks.output_shape(X.shape, initial.shape)}, and Y must have that shape."
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
        info, once = np.finfo(dtype), _underflow(dtype)
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
def _bilinear(operation: Operation, A: Array, B: Array, n: int, dtype: str) -> tuple[Array, Mask]:
    """The bound of sums of n products of an element of A and one of B, and where some overflow."""
    g = gamma(n + _narrowed(A, dtype) + _narrowed(B, dtype), dtype)
    size_A, size_B = _finite(A), _finite(B)
    # Computing S, gamma and their product in float64 takes less than n + 8 roundings.
    S = operation(size_A, size_B) * (1 + 8 * n * 2.0**-53)
    bound = np.where(S > 0, g * S, 0) + 2 * n * _underflow(dtype) * (1 + g)
    overflow = ~(S * (1 + g) < float(np.finfo(dtype).max))
    lost_A, lost_B = _lost(A, dtype), _lost(B, dtype)
    if lost_A.any() or lost_B.any():
        bound += (operation(lost_A, size_B) + operation(size_A, lost_B)) * (1 + g)
        # Infinity times a subnormal number is infinite, or NaN where that is flushed.
        overflow |= operation(lost_A, _special(B)) + operation(_special(A), lost_B) > 0
    beyond_A, beyond_B = _beyond(A, dtype), _beyond(B, dtype)
    if beyond_A.any() or beyond_B.any():
        overflow |= operation(beyond_A, np.ones_like(B)) + operation(np.ones_like(A), beyond_B) > 0
    return bound, overflow


def _underflow(dtype: str) -> float:
    """What one operation can lose by underflow: all below tiny, but float16 is never flushed."""
    info = np.finfo(dtype)
    return float(info.smallest_subnormal if dtype == "float16" else info.tiny)


def _narrowed(A: Array, dtype: str) -> int:
    """Whether an operand has to be rounded to the type, as a number of roundings: 0 or 1."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return int(not np.array_equal(A.astype(dtype), A, equal_nan=True))


def _lost(A: Array, dtype: str) -> Array:
    """What of each operand underflow can take: all where it is flushed, else what is rounded."""
    size = np.where(np.abs(A) < float(np.finfo(dtype).tiny), np.abs(A), 0)
    kept = size.astype(dtype).astype(np.float64) if dtype == "float16" else 0.0
    lost: Array = np.abs(size - kept)
    return lost


def _beyond(A: Array, dtype: str) -> Array:
    """1 where an operand is too large for the type, else 0."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        beyond: Array = np.where(np.isfinite(A) & np.isinf(A.astype(dtype)), 1.0, 0.0)
        return beyond


def _finite(A: Array) -> Array:
    return np.where(np.isfinite(A), np.abs(A), 0)


def _special(A: Array) -> Array:
    return np.where(np.isfinite(A), 0.0, 1.0)


def _known(bound: Array) -> Array:
    """The bound, infinite where it came out as NaN."""
    return np.where(np.isnan(bound), math.inf, bound)
