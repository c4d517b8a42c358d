"""Kernels designed by hand, each with its derivation.

All of them are for cross-correlation, :func:`d2lconv.corr2d`. Directions are in the order of array
indices: first down the rows, then right along the columns; ``axis=0`` is down, ``axis=1`` right.
Every kernel is computed once, in float64, and rounded once to the type that is asked for, so it
has the same bits in every framework.

An axis, a size or a ``dtype`` that makes no sense is an :class:`~d2lconv.ArgumentError`, or a
:class:`~d2lconv.DTypeError`, in each of these functions.
"""

from math import ceil, comb, hypot, isfinite, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core import checks
from d2lconv.core.data import to_array
from d2lconv.core.selection import choose
from d2lconv.errors import ArgumentError

__all__ = [
    "box_blur",
    "derivative",
    "directional",
    "finite_difference",
    "gabor",
    "gabor_bank",
    "gaussian_blur",
    "laplacian",
    "scharr",
    "second_derivative",
    "sharpen",
    "sobel",
]


def __dir__() -> list[str]:
    """The kernels, for completion."""
    return list(__all__)


LARGEST = 1001  # the height and width of a kernel; beyond lie mistakes, and full memories
Values = NDArray[np.float64]


def finite_difference(axis: int = 1, *, dtype: Any = None) -> Any:
    """Make the lesson's edge detector: each pixel minus its right, or lower, neighbour.

    Derivation: where brightness does not change, neighbours are equal and their difference is 0.
    Where it falls by s from one pixel to the next, the difference is s; where it rises, -s. This
    is *minus* the derivative; :func:`derivative` has the other sign.

    Args:
        axis: 1 subtracts the right neighbour and sees vertical edges, 0 the lower one, and sees
            horizontal edges.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (1, 2), or (2, 1).

    Source:
        Dive into Deep Learning, section 7.2.3.

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.finite_difference()
        array([[ 1., -1.]], dtype=float32)
    """
    return _native(_along(axis, [1, -1]), dtype)


def directional(v: tuple[float, float], *, size: int = 5, dtype: Any = None) -> Any:
    """Make a detector of the edges orthogonal to v: the derivative along v, smoothed.

    Derivation: the derivative of an image along the unit vector u = v / |v| is u1 times its
    derivative down plus u2 times its derivative to the right. Each of the two is taken of the
    image blurred by the row of binomial coefficients, in one direction by their difference, so
    that both have the same centre and every direction is treated alike. An image of slope g, so
    that X[p] = g . p, is answered by g . u: most where the brightness changes along v, 0 where it
    changes along the edge only, and minus the same for -v.

    Args:
        v: The direction (down, right), not (0, 0). Only its direction matters.
        size: Height and width, at least 2. 2 gives Roberts's differences between pixels, 3 gives
            Sobel's kernels. The larger, the less it is disturbed by noise and by the staircase
            that a slanted edge is made of.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (size, size). It responds with brightness per pixel, positive where the
        image gets brighter along v.

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 2; Freeman and Adelson, "The Design and
        Use of Steerable Filters" (1991).

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.directional((0, 1), size=3) * 8
        array([[-1.,  0.,  1.],
               [-2.,  0.,  2.],
               [-1.,  0.,  1.]], dtype=float32)
    """
    try:
        v1, v2 = (float(component) for component in v)
    except (TypeError, ValueError):
        v1 = v2 = 0.0
    scale = max(abs(v1), abs(v2))  # so that huge and tiny components do not leave the number range
    if not (isfinite(v1) and isfinite(v2) and scale > 0):
        raise ArgumentError(
            f"v is {v!r}; it must be a direction (down, right) of two finite numbers that are not "
            "both 0, such as (0, 1)."
        )
    size = _size(size, least=2)
    v1, v2 = v1 / scale, v2 / scale
    blur = _binomial(size - 1) / 2.0 ** (size - 1)
    change = np.convolve(_binomial(size - 2), [-1, 1]) / 2.0 ** (size - 2)
    K = (v1 * np.outer(change, blur) + v2 * np.outer(blur, change)) / hypot(v1, v2)
    return _native(K, dtype)


def second_derivative(axis: int = 1, *, dtype: Any = None) -> Any:
    """Make the second difference, the smallest kernel for a second derivative.

    Derivation: by Taylor, X(j-1) + X(j+1) = 2 X(j) + X''(j) + terms of order 4; solve for X''. It
    responds with 0 to constant images and to ramps, and most to lines one pixel wide. It is
    :func:`derivative` of order 2, where the proof is that no smaller kernel does it.

    Args:
        axis: 1 for the derivative along the row, 0 down the column.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (1, 3), or (3, 1).

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 2.

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.second_derivative()
        array([[ 1., -2.,  1.]], dtype=float32)
    """
    return _native(_along(axis, [1, -2, 1]), dtype)


def laplacian(*, diagonals: bool = False, dtype: Any = None) -> Any:
    """Make the sum of the second derivatives in both directions, which prefers none.

    Derivation: the second difference down plus the one to the right. With diagonals, a third of
    the sum of the second differences in all four directions: those along the two diagonals
    together are twice the Laplacian, because their steps are longer by the root of 2, and
    1 + 2 = 3.

    Args:
        diagonals: Whether the four diagonal neighbours count too.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (3, 3).

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 2, for the sum of two of its responses.

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.laplacian()
        array([[ 0.,  1.,  0.],
               [ 1., -4.,  1.],
               [ 0.,  1.,  0.]], dtype=float32)
    """
    if not isinstance(diagonals, (bool, np.bool_)):
        raise ArgumentError(f"diagonals is {diagonals!r}; it must be True or False.")
    if diagonals:
        return _native(np.array([[1, 1, 1], [1, -8, 1], [1, 1, 1]]) / 3, dtype)
    return _native(np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]), dtype)


def derivative(order: int, axis: int = 1, *, dtype: Any = None) -> Any:
    """Make the smallest kernel for the derivative of an order d; it has d + 1 elements.

    Derivation: a kernel k[0..n-1] responds to the image j**m, at j = 0, with its moment of order
    m, the sum of k[j] * j**m. The d-th derivative of j**m at 0 is d! for m = d and 0 for m < d,
    and so the moments must be. For n <= d elements this is impossible: the moments of orders 0 to
    n - 1 are n linear equations with a Vandermonde matrix, which is invertible, for n unknowns;
    being all 0 they leave k = 0 only, whose moment of order d is 0 too. For n = d + 1 the same
    argument gives exactly one kernel, and the d-th power of the difference operator,
    k[j] = (-1)**(d-j) * d! / (j! (d-j)!), is it: each difference lowers the degree of a
    polynomial by one.

    Args:
        order: The order d, at least 1.
        axis: 1 for the derivative along the row, 0 down the column.
        dtype: The floating type; None is float32. It must hold the elements exactly, which
            float16 does up to order 13, float32 up to 27 and float64 up to 56.

    Returns:
        A kernel of shape (1, order + 1), or (order + 1, 1).

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 2; Fornberg, "Generation of Finite
        Difference Formulas on Arbitrarily Spaced Grids" (1988).

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.derivative(3)
        array([[-1.,  3., -3.,  1.]], dtype=float32)
    """
    d = checks.whole_number("order", order, least=1)
    exact = [(-1) ** (d - j) * comb(d, j) for j in range(d + 1)] if d < LARGEST else []
    held = to_array(np.array(exact, np.float64), dtype or "float32")
    if not exact or [float(k) for k in held] != exact:
        raise ArgumentError(
            f"order is {d}, and the kernel has elements that {dtype or 'float32'} does not hold "
            "exactly; take a lower order, or a wider type with dtype='float64'."
        )
    return _native(_along(axis, exact), dtype)


def box_blur(size: int, *, dtype: Any = None) -> Any:
    """Make a blur that replaces each pixel by the mean of a square around it.

    Derivation: equal weights, whose sum must be 1 so that a constant image stays as it is.

    Args:
        size: Height and width, odd, so that the square has a middle.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (size, size).

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 2.

    Example:
        >>> import d2lconv as dc
        >>> dc.corr2d([[9, 0, 0], [0, 9, 0], [0, 0, 9]], dc.kernels.box_blur(3)).round(6)
        array([[3.]], dtype=float32)
    """
    n = _odd(size)
    return _native(np.full((n, n), 1 / n**2), dtype)


def gaussian_blur(sigma: float, *, size: int | None = None, dtype: Any = None) -> Any:
    """Make a blur whose weights fall off as a bell curve, alike in all directions.

    Derivation: exp(-(i**2 + j**2) / (2 sigma**2)), divided by its sum so that a constant image
    stays as it is. It is the product of a column and a row, so that blurring the columns and then
    the rows does the same with 2 n instead of n**2 multiplications; no other function is both such
    a product and alike in all directions.

    Args:
        sigma: The width of the bell, in pixels, greater than 0.
        size: Height and width, odd. None takes what lies within three sigma, 99.7 % in each
            direction.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (size, size).

    Source:
        Dive into Deep Learning, section 7.2.8, exercise 2.

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.gaussian_blur(0.5).round(3)
        array([[0.   , 0.   , 0.   , 0.   , 0.   ],
               [0.   , 0.011, 0.084, 0.011, 0.   ],
               [0.   , 0.084, 0.619, 0.084, 0.   ],
               [0.   , 0.011, 0.084, 0.011, 0.   ],
               [0.   , 0.   , 0.   , 0.   , 0.   ]], dtype=float32)
    """
    sigma = _positive("sigma", sigma)
    bell = _bell(sigma, _radius(sigma, size))
    bell /= bell.sum()
    return _native(np.outer(bell, bell), dtype)


def sharpen(amount: float = 1.0, *, dtype: Any = None) -> Any:
    """Make a kernel that strengthens what a blur takes away.

    Derivation: the Laplacian measures how far a pixel lies below its neighbours; subtracting
    ``amount`` times of it from the image moves every pixel further away from them. Its sum is 1, so
    that a constant image stays as it is.

    Args:
        amount: How much, greater than 0.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (3, 3).

    Source:
        Dive into Deep Learning, section 7.2.9.

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.sharpen()
        array([[ 0., -1.,  0.],
               [-1.,  5., -1.],
               [ 0., -1.,  0.]], dtype=float32)
    """
    a = _positive("amount", amount)
    return _native(np.array([[0, -a, 0], [-a, 1 + 4 * a, -a], [0, -a, 0]]), dtype)


def sobel(axis: int = 1, *, dtype: Any = None) -> Any:
    """Make Sobel's edge detector: a central difference, smoothed across by 1, 2, 1.

    Derivation: (X(j+1) - X(j-1)) / 2 is the derivative at j up to terms of order 3, and has a
    centre, unlike X(j+1) - X(j). Smoothing across lowers the noise. A ramp that rises by 1 a pixel
    is answered by 8, the sum of the weights; divide by it for the derivative.

    Args:
        axis: 1 for the derivative along the row, 0 down the column.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (3, 3), positive where the image gets brighter along the axis.

    Source:
        Sobel, "An Isotropic 3x3 Image Gradient Operator" (1968, published 2014).

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.sobel()
        array([[-1.,  0.,  1.],
               [-2.,  0.,  2.],
               [-1.,  0.,  1.]], dtype=float32)
    """
    return _native(_smoothed(axis, [1, 2, 1]), dtype)


def scharr(axis: int = 1, *, dtype: Any = None) -> Any:
    """Make Scharr's edge detector: as Sobel's, but smoothed across by 3, 10, 3.

    Derivation: these weights were chosen so that the direction of the gradient, as computed from
    the two kernels, is off by as little as 3x3 kernels allow. For a wave of frequency w across, the
    three weights (a, b, a) leave (b + 2 a cos w) / (b + 2 a), about 1 - w**2 a / (b + 2 a), and the
    central difference along leaves sin w / w, about 1 - w**2 / 6. The two agree for b = 4 a; the
    integers 3 and 10 serve a wider band of frequencies at a small price at the lowest. A ramp that
    rises by 1 a pixel is answered by 32.

    Args:
        axis: 1 for the derivative along the row, 0 down the column.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (3, 3), positive where the image gets brighter along the axis.

    Source:
        Scharr, *Optimale Operatoren in der Digitalen Bildverarbeitung* (Heidelberg, 2000).

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.scharr()
        array([[ -3.,   0.,   3.],
               [-10.,   0.,  10.],
               [ -3.,   0.,   3.]], dtype=float32)
    """
    return _native(_smoothed(axis, [3, 10, 3]), dtype)


def gabor(
    angle: float,
    *,
    wavelength: float = 4.0,
    sigma: float = 2.0,
    phase: float = 0.0,
    size: int | None = None,
    dtype: Any = None,
) -> Any:
    """Make an oriented filter: a wave under a bell, as cells of the visual cortex answer to.

    Derivation: cos(2 pi p / wavelength + phase), with p = i sin(angle) + j cos(angle) the distance
    along the wave, times exp(-(i**2 + j**2) / (2 sigma**2)). The wave's weighted mean is taken off,
    so that constant images are answered by 0, and the rest is scaled so that the wave itself, seen
    through the kernel, is answered by 1.

    Args:
        angle: The direction in which the wave runs, in radians from the row's towards down. 0
            responds to vertical lines, pi/2 to horizontal ones.
        wavelength: The length of the wave in pixels, more than 2: shorter ones cannot be sampled.
        sigma: The width of the bell, in pixels, greater than 0.
        phase: The phase of the wave at the centre, in radians: 0 for lines, -pi/2 for edges that
            get brighter along the wave.
        size: Height and width, odd. None takes what lies within three sigma.
        dtype: The floating type; None is float32.

    Returns:
        A kernel of shape (size, size).

    Source:
        Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation"
        (1985); Field (1987) for natural images.

    Example:
        >>> import d2lconv as dc
        >>> dc.kernels.gabor(0, sigma=1, size=3).round(2)
        array([[-0.14,  0.27, -0.14],
               [-0.23,  0.45, -0.23],
               [-0.14,  0.27, -0.14]], dtype=float32)
    """
    angle, phase = _number("angle", angle), _number("phase", phase)
    sigma = _positive("sigma", sigma)
    wavelength = _positive("wavelength", wavelength)
    if wavelength <= 2:
        raise ArgumentError(
            f"wavelength is {wavelength!r}; it must be more than 2 pixels, or the pixels are too "
            "far apart for the wave."
        )
    radius = _radius(sigma, size)
    i, j = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    wave = np.cos(2 * pi / wavelength * (i * np.sin(angle) + j * np.cos(angle)) + phase)
    bell = np.outer(_bell(sigma, radius), _bell(sigma, radius))
    K = bell * (wave - (bell * wave).sum() / bell.sum())
    answer = (K * wave).sum()
    if not answer > 2**-40:  # a wave this flat is lost in the rounding of its own mean
        raise ArgumentError(
            f"wavelength {wavelength!r} is too long, or sigma {sigma!r} or the size "
            f"{2 * radius + 1} too small: the wave is flat there. Bring them closer together."
        )
    return _native(K / answer, dtype)


def gabor_bank(
    orientations: int = 8,
    *,
    wavelength: float = 4.0,
    sigma: float = 2.0,
    phase: float = 0.0,
    size: int | None = None,
    dtype: Any = None,
) -> tuple[Any, ...]:
    """Make a bank of oriented filters that share out the half circle of orientations evenly.

    Args:
        orientations: How many, at least 1.
        wavelength: As in :func:`gabor`.
        sigma: As in :func:`gabor`.
        phase: As in :func:`gabor`.
        size: As in :func:`gabor`.
        dtype: As in :func:`gabor`.

    Returns:
        The kernels, for the angles pi * n / orientations, n = 0, 1, ...

    Example:
        >>> import d2lconv as dc
        >>> [K.shape for K in dc.kernels.gabor_bank(3)]
        [(13, 13), (13, 13), (13, 13)]
    """
    count = checks.whole_number("orientations", orientations, least=1)
    return tuple(
        gabor(
            pi * n / count,
            wavelength=wavelength,
            sigma=sigma,
            phase=phase,
            size=size,
            dtype=dtype,
        )
        for n in range(count)
    )


def _native(values: Any, dtype: Any) -> Any:
    return choose().tensors.tensor(values, "float32" if dtype is None else dtype)


def _along(axis: int, values: Any) -> Values:
    row = np.array([values], np.float64)
    return row.T if _axis(axis) == 0 else row


def _smoothed(axis: int, weights: list[int]) -> Values:
    K = np.outer(weights, [-1, 0, 1]).astype(np.float64)
    return K.T if _axis(axis) == 0 else K


def _binomial(n: int) -> Values:
    return np.array([comb(n, k) for k in range(n + 1)], np.float64)


def _bell(sigma: float, radius: int) -> Values:
    with np.errstate(over="ignore", under="ignore"):  # far out, the bell is 0
        bell: Values = np.exp(-((np.arange(-radius, radius + 1) / sigma) ** 2) / 2)
    return bell


def _radius(sigma: float, size: Any) -> int:
    if size is not None:
        return _odd(size) // 2
    if 3 * sigma > LARGEST // 2:
        raise ArgumentError(
            f"sigma is {sigma!r}, for which the kernel would be larger than {LARGEST} pixels; take "
            f"a smaller one, up to {LARGEST // 6}."
        )
    return ceil(3 * sigma)


def _axis(axis: Any) -> int:
    number = checks.integer(axis)
    if number not in (0, 1):
        raise ArgumentError(f"axis is {axis!r}; it must be 0 (down) or 1 (right).")
    return number


def _size(size: Any, least: int) -> int:
    n = checks.whole_number("size", size, least=least)
    if n > LARGEST:
        raise ArgumentError(f"size is {n}; it must be at most {LARGEST}.")
    return n


def _odd(size: Any) -> int:
    n = _size(size, least=1)
    if n % 2 == 0:
        raise ArgumentError(
            f"size is {n}, which is even; it must be odd, so that the kernel has a middle: "
            f"{n - 1} or {n + 1}."
        )
    return n


def _number(name: str, value: Any) -> float:
    number = checks.finite(value)
    if number is None:
        raise ArgumentError(f"{name} is {value!r}; it must be a finite number.")
    return number


def _positive(name: str, value: Any) -> float:
    number = _number(name, value)
    if number <= 0:
        raise ArgumentError(f"{name} is {value!r}; it must be greater than 0.")
    return number
