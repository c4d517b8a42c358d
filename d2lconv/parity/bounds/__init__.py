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
carries 2*u + O(n*u**2), and u from the product (Higham, section 4.3). A bias is one term more, the
product of itself and 1.

**Underflow** is not in that model. A product or a partial sum below the smallest normal number
``tiny`` is off by less than ``tiny`` where hardware flushes it to zero, and by less still where it
does not. There are less than 2*n of them, so that this adds at most 2*n*tiny, times 1 + gamma(n)
for the roundings after it. Where subnormal *operands* are flushed, the whole term is lost: |x|*|k|
for a subnormal x or k, which is no small number if the other is large. These terms are added up
too. float16 is never flushed (x86 ignores the switch for it, and frameworks compute it by way of
float32): there an operation is off by less than the smallest subnormal number instead of ``tiny``.

**Overflow.** Where S * (1 + gamma(n)) reaches the largest number of the type, some order may
overflow and another not, so the bound is infinite. Elsewhere an infinity or NaN comes from an
infinity or NaN among the operands, and is the same in every order. Compensated summation takes an
infinity from itself, so that it gives NaN where the others give the infinity.

**What is not covered**, because it computes something else than this sum: fast algorithms, whose
error depends on more than the terms of one sum (Strassen's, Winograd's; :func:`fft` and
:mod:`~d2lconv.parity.winograd` have bounds of their own), and types that are narrower than they are
called (TF32
or bfloat16 in the place of float32).

The bounds are computed in float64, and enlarged by what that can round off.
"""

from typing import Any

import numpy as np

from d2lconv.parity.bounds.fourier import Array, fft
from d2lconv.parity.bounds.learning import learning
from d2lconv.parity.bounds.operands import operands, result_type
from d2lconv.parity.bounds.parts import Parts, of_terms
from d2lconv.parity.bounds.roundoff import gamma, underflow, unit_roundoff
from d2lconv.parity.problem import Problem, problem
from d2lconv.parity.values import read

__all__ = [
    "Parts",
    "corr2d",
    "corr2d_parts",
    "fft",
    "gamma",
    "image_gradient",
    "kernel_gradient",
    "learning",
    "of_terms",
    "operands",
    "underflow",
    "unit_roundoff",
]


def corr2d(X: Any, K: Any, dtype: Any = None, *, bias: Any = None, **options: Any) -> Array:
    """How far a computed cross-correlation can be from the true one, by rounding alone.

    Each output element is a sum of products, kh*kw for each channel that it sees: gamma of their
    number times the cross-correlation of the absolute values, and what may underflow.

    Args:
        X: The images, tensors of any framework or neutral data, of any of the ranks that
            :func:`d2lconv.corr2d` takes.
        K: The kernels.
        dtype: The floating type of the result; None is the wider one of X and K, float32 if
            neither has one (lists, integers).
        bias: One number, or one for each output, that is added at any place in the order.
        options: stride, padding, dilation and groups, as :func:`d2lconv.corr2d` takes them, and
            layout and kernel_layout, as :func:`d2lconv.parity.compare` does.

    Returns:
        The bound for each output element, float64, of the result's shape; infinite where an order
        may overflow. Two results that are both honest differ by at most the sum of their bounds.

    Raises:
        ShapeError, DTypeError, ArgumentError: X, K or an option is not what ``d2lconv.corr2d``
            takes.

    Example:
        >>> bound = corr2d([[1, 2]], [[3, 4]])  # 1*3 + 2*4 = 11, two roundings
        >>> f"{float(bound[0, 0]) / unit_roundoff('float32'):.2f}"
        '22.01'
    """
    return corr2d_parts(X, K, dtype, bias=bias, **options).any_result()


def corr2d_parts(X: Any, K: Any, dtype: Any = None, *, bias: Any = None, **options: Any) -> Parts:
    """The bound of :func:`corr2d` in parts, for who knows the result."""
    return _shown(problem(X, K, bias=bias, **options), dtype)


def kernel_gradient(
    X: Any, G: Any, dtype: Any = None, *, kernel: tuple[int, ...] | None = None, **options: Any
) -> Array:
    """The same for the gradient with respect to the kernels, a sum of n*H*W products for each.

    Args:
        X: The images.
        G: The gradient at the output.
        dtype: The floating type of the result; None is the wider one of X and G.
        kernel: The kernels' shape; None is that of a plain cross-correlation of (h, w).
        options: As in :func:`corr2d`.

    Returns:
        The bound for each element of the gradient, float64, of the kernels' shape.
    """
    X, G = read(X, "X"), read(G, "G")
    if kernel is None:
        kernel = tuple(n - m + 1 for n, m in zip(X.shape, G.shape, strict=False))
    found = problem(X, None, G, of="weight", result=kernel, **options)
    return _shown(found, dtype).any_result()


def image_gradient(
    K: Any, G: Any, dtype: Any = None, *, image: tuple[int, ...] | None = None, **options: Any
) -> Array:
    """The same for the gradient with respect to the images.

    Args:
        K: The kernels.
        G: The gradient at the output.
        dtype: The floating type of the result; None is the wider one of K and G.
        image: The images' shape; None is that of a plain cross-correlation of (h, w).
        options: As in :func:`corr2d`.

    Returns:
        The bound for each element of the gradient, float64, of the images' shape.
    """
    K, G = read(K, "K"), read(G, "G")
    if image is None:
        image = tuple(n + m - 1 for n, m in zip(K.shape, G.shape, strict=False))
    return _shown(problem(None, K, G, of="input", result=image, **options), dtype).any_result()


def _shown(found: Problem, dtype: Any) -> Parts:
    """The bound of all results of a problem, as its user has them."""
    call = found.call
    name = result_type(dtype, *(t for t in (call.X, call.K, call.G, call.bias)))
    parts = of_terms(call.terms(), name)
    finite, overflow, infinite = (
        np.asarray(found.shown(call.ours(t)))
        for t in (parts.finite, parts.overflow, parts.infinite)
    )
    return Parts(finite, overflow, infinite)
