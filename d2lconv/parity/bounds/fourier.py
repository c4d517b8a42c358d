"""The bound of the fast Fourier transform."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.geometry import power_of_two
from d2lconv.parity.bounds.operands import result_type
from d2lconv.parity.bounds.parts import beyond, narrowed
from d2lconv.parity.bounds.roundoff import gamma, underflow
from d2lconv.parity.problem import problem
from d2lconv.parity.terms import Terms

Array = NDArray[np.float64]


def fft(X: Any, K: Any, dtype: Any = None, *, bias: Any = None, **options: Any) -> Array:
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
    less than ``tiny`` an operation, magnified no more than the signal is.

    *Overflow.* The modulus of an element of a transform, and of a stage of it, is at most the sum
    of the moduli of its input: sum |X|, sum |K|, and on the way back N * sum |X| * sum |K| where
    the division by N comes last. Unpacking adds two such elements before it halves their sum, and
    a complex product by three real ones adds the two parts of a factor of each kind before they
    are multiplied, which doubles at most twice. So where 8 times the largest of the three, each
    enlarged by its own rounding, reaches the largest number, a transform could overflow, and the
    bound is infinite; and so it is where an operand is infinite or NaN.

    *Channels.* The products, or what is transformed back, are added up over the channels: one
    rounding more for each. A stride leaves elements out; dilation spreads K out, which changes the
    sides alone.

    Args:
        X: The images.
        K: The kernels.
        dtype: The floating type of the result; None is the wider one of X and K.
        bias: Numbers that are added at the end.
        options: stride, padding, dilation, groups, layout and kernel_layout.

    Returns:
        The bound for each output element, float64.

    Source:
        Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., section 24.1, and lemma
        3.5 for the complex operations; combined here for the cross-correlation.
    """
    found = problem(X, K, bias=bias, **options)
    call = found.call
    bound = of_terms(call.terms(), result_type(dtype, call.X, call.K, call.bias))
    return np.asarray(found.shown(bound))


def of_terms(terms: Terms, dtype: str) -> Array:
    """The bound for each of the sums of these terms."""
    rounded = narrowed(terms.A, dtype) + narrowed(terms.B, dtype)
    A, B, geometry = terms.A.wide(), terms.B.wide(), terms.geometry
    work = "float64" if dtype == "float64" else "float32"
    spans = zip(A.shape[2:], B.shape[2:], geometry.dilation, strict=True)
    sides = [power_of_two(n + (k - 1) * d) for n, k, d in spans]
    N, stages = math.prod(sides), sum(side.bit_length() - 1 for side in sides) + 2
    # All factors are at most exponentials, and add up there: 1 + 2**-53 is 1 in float64.
    u, pair = gamma(1, work), math.sqrt(2) * gamma(2, work)
    channels = geometry.kernel[1] - 1
    relative = math.expm1(4 * stages * (2 * u + pair) + pair + u + channels * u)
    tiny = float(np.finfo(work).tiny)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        sum_x = float(np.abs(A).sum((1, 2, 3)).max())
        sum_k = float(np.abs(B).sum((1, 2, 3)).max())
        rounding = _sizes(A, B, terms) * (relative + (1 + relative) * gamma(rounded, dtype))
        lost = 8 * stages * N * tiny * geometry.kernel[1] + rounded * underflow(dtype)
        bound = np.broadcast_to(
            (rounding + lost * (1 + sum_k + sum_x)) * (1 + 1e-9), terms.shape
        ).copy()
        size = terms.size
        if dtype == "float16":
            result = size + bound
            bound += gamma(1, dtype) * result + underflow(dtype)
            bound[result > float(np.finfo(dtype).max)] = math.inf
        if terms.bias is not None:
            roundings = 1 + narrowed(terms.bias, dtype)
            bound += gamma(roundings, dtype) * (size + bound) * (1 + 1e-9) + 2 * underflow(dtype)
        most = 8 * max(N * sum_x * sum_k, sum_x, sum_k) * (1 + relative)
    out_of_range = beyond(A, dtype).any() or beyond(B, dtype).any()
    if out_of_range or not most < float(np.finfo(work).max):  # NaN too
        bound[:] = math.inf
    return bound


def _sizes(A: Array, B: Array, terms: Terms) -> Array:
    """The product of the norms of image and kernel, added up over the channels: (n, o, 1, 1)."""
    groups, geometry = terms.geometry.groups, terms.geometry
    of_A = _norms(A).reshape(len(A), groups, 1, -1)
    of_B = _norms(B).reshape(1, groups, -1, geometry.kernel[1])
    found: Array = (of_A * of_B).sum(-1).reshape(len(A), -1, 1, 1)
    return found


def _norms(A: Array) -> Array:
    """The 2-norms over rows and columns, without overflow on the way."""
    top = np.abs(A).max((2, 3), keepdims=True)
    top = np.where(top > 0, top, 1.0)
    found: Array = top[..., 0, 0] * np.sqrt(np.square(A / top).sum((2, 3)))
    return found
