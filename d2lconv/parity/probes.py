"""Inputs that betray mistakes, and the test of the adjoint, which needs no reference.

Random numbers betray most mistakes, but not where they are positive, their sides odd or equal, or
the comparison allows for rounding. The numbers here are so few and so short that every product and
every sum of them is exact in float32, in any order: results must have the same bits, and the
smallest difference is a mistake, or a type that is narrower than it is called.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from d2lconv.core.geometry import form
from d2lconv.errors import ShapeError
from d2lconv.parity import values
from d2lconv.parity.compare import compare
from d2lconv.parity.verdict import Comparison

LARGEST = 8  # of the integers: up to 2**18 products of two of them have an exact sum in float32


@dataclass(frozen=True)
class Probe:
    """Inputs that betray some mistakes.

    Attributes:
        name: What it is.
        X: Images (n, c, h, w), float32.
        K: Kernels (o, c/groups, kh, kw), float32; None for pooling.
        reveals: What it betrays, in words.
    """

    name: str
    X: Any
    K: Any
    reveals: str


def probes(image: tuple[int, ...], kernel: tuple[int, ...] | None = None) -> tuple[Probe, ...]:
    """Inputs for a layer, each of which betrays some mistakes by other bits.

    Args:
        image: The shape (n, c, h, w) of images. Two images and more betray what mixes them.
        kernel: The shape (o, c/groups, kh, kw) of the kernels; None for pooling.

    Returns:
        The probes, :class:`Probe` each. Some have images of one row or column more, so that there
        are odd and even sizes, and unequal ones. Without biases, or with biases that are small
        integers, all sums are exact in float32 (up to 2**18 products each), so that right results
        have the same bits, whatever the order of the additions. Means are rounded when they are
        divided (:func:`compare_pool`), and Winograd's algorithm and Fourier transforms in between
        (``algorithm`` of :func:`compare`).

    Raises:
        ShapeError: There is no such layer.

    Source:
        A kernel that copies, and small integers, betray reduced precision in tensorflow#19200;
        negative numbers a maximum with zeros around in mxnet#2753; a size that is even SAME's
        padding in tensorflow#18213; unequal sides a dilation of one axis in mxnet#8557.

    Example:
        >>> import d2lconv as dc
        >>> def relu_by_mistake(X, K):
        ...     return np.maximum(dc.numpy.corr2d(X, K), 0)
        >>> for probe in probes((2, 3, 8, 9), (4, 3, 3, 3)):
        ...     right = dc.numpy.corr2d(probe.X, probe.K)
        ...     if not dc.parity.compare(relu_by_mistake(probe.X, probe.K), right).identical:
        ...         print(probe.name)
        impulses
        integers
        negative images
        one row more
        one column more
    """
    if len(image) != 4 or min(image) < 1:
        raise ShapeError(f"image is {image}; it must be a shape (n, c, h, w).")
    groups = 1
    if kernel is not None:
        if len(kernel) != 4 or min(kernel) < 1 or image[1] % kernel[1]:
            raise ShapeError(
                f"kernel is {kernel} for images {image}; it must be a shape (o, c/groups, kh, kw) "
                "of which some groups fit the images' channels."
            )
        groups = image[1] // kernel[1]
        form(image, (*kernel[:2], 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), groups)
    rng = np.random.default_rng(0)
    n, c, h, w = image
    integers = _integers(rng, image)
    some = None if kernel is None else _integers(rng, kernel)
    negative = -np.abs(integers)
    found = [
        ("impulses", _impulses(image), some, "the order of images, channels, groups, and axes; "
         "flips; where windows start; padding and its zeros"),
        ("integers", integers, some, "whatever computes something else, and a result that is "
         "rounded where it need not be"),
        ("negative images", negative, None if some is None else np.abs(some),
         "relu; an absolute value; a maximum with zeros around; a type without signs"),
        ("ones", np.ones_like(integers), None if some is None else np.ones_like(some),
         "a divisor: padding that is counted or not, a mean for a sum"),
    ]  # fmt: skip
    if kernel is not None:
        one, products = np.zeros(image), math.prod(kernel[1:])
        corner, each = np.arange(n) % 2, np.arange(n)  # strides pass by one place or the other
        one[each, each % c, h // 2 * (1 - corner), w // 2 * (1 - corner)] = 1
        found += [
            ("copied images", _fine(rng, image), _copying(kernel), "X in TF32, bfloat16 or "
             "float16"),
            ("copied kernels", one, _fine(rng, kernel), "K in TF32, bfloat16 or float16"),
            ("far and near", _far(image, products), np.ones(kernel), "sums in float16 or "
             "bfloat16"),
        ]  # fmt: skip
    for words, more in (("one row more", (n, c, h + 1, w)), ("one column more", (n, c, h, w + 1))):
        found.append((words, _integers(rng, more), some, "SAME's padding, which depends on the "
                      "size; one axis' option in both; height and width exchanged"))  # fmt: skip
    return tuple(
        Probe(name, X.astype(np.float32), None if K is None else K.astype(np.float32), reveals)
        for name, X, K, reveals in found
    )


def _integers(rng: Any, shape: tuple[int, ...]) -> Any:
    """Small integers, none of them zero."""
    return rng.integers(1, LARGEST + 1, shape) * rng.choice([-1, 1], shape)


def _impulses(image: tuple[int, ...]) -> Any:
    """Zeros but for one element in each channel of each image, all elsewhere if there is room."""
    n, c, h, w = image
    X = np.zeros((n * c, h * w), int)
    each = np.arange(n * c)
    places = np.random.default_rng(1).permutation(h * w)
    X[each, places[each % (h * w)]] = 1 + each % LARGEST
    return X.reshape(image)


def _fine(rng: Any, shape: tuple[int, ...]) -> Any:
    """Numbers from 1 to 2 with all 24 bits, the first with its thirteenth alone: 1 + 2**-12."""
    numbers = 1 + (2 * rng.integers(0, 2**22, shape) + 1) * 2.0**-23
    numbers.reshape(-1)[0] = 1 + 2.0**-12
    return numbers


def _copying(kernel: tuple[int, ...]) -> Any:
    """A one in the middle, from the channel of its group that has the output's number."""
    o, per_group, kh, kw = kernel
    K = np.zeros(kernel)
    K[np.arange(o), np.arange(o) % per_group, kh // 2, kw // 2] = 1
    return K


def _far(image: tuple[int, ...], products: int) -> Any:
    """2048 among ones: numbers of one bit, whose sums need twelve, and no more than 24."""
    return np.where(np.indices(image).sum(0) % max(2, products // 2**11), 1, 2048)


def adjoint(
    forward: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    X: Any,
    *,
    bound: float | None = None,
) -> Comparison:
    """Whether a gradient belongs to its forward pass: <G, forward(X)> = <gradient(G), X>.

    It needs no reference, and so works where nobody has one. What it cannot see is a mistake that
    both have: a kernel that is flipped in both, say.

    Args:
        forward: A linear function, from X to a result: no bias, no activation. Linear in the
            images or, for the gradient of kernels, in the kernels.
        gradient: From the gradient G at the result, an array of its shape, to that of X.
        X: An array that forward takes. For a claim without a bound, forward and X are to have small
            integers alone, such as those of :func:`probes`; G has such, too.
        bound: How far the two inner products may be from each other; None claims that they are the
            same number.

    Returns:
        The :class:`Comparison` of the two inner products: actual is the gradient's.

    Raises:
        ShapeError: The gradient has another shape than X.

    Example:
        >>> import d2lconv as dc
        >>> from d2lconv.core import reference
        >>> probe = probes((2, 3, 8, 9), (4, 3, 3, 3))[1]
        >>> forward = lambda X: dc.numpy.corr2d(X, probe.K)
        >>> gradient = lambda G: reference.image_gradient(probe.K, G, probe.X.shape)
        >>> adjoint(forward, gradient, probe.X).verdict
        'identical'
        >>> adjoint(forward, lambda G: 2 * gradient(G), probe.X).verdict
        'bug'
    """
    Y = values.read(forward(X), "forward(X)").wide()
    G = _integers(np.random.default_rng(2), Y.shape).astype(np.float32)
    dX, x = values.read(gradient(G), "gradient(G)").wide(), values.read(X, "X").wide()
    if dX.shape != x.shape:
        raise ShapeError(f"the gradient has the shape {dX.shape}, and X has {x.shape}.")
    right, left = _inner(G, Y), _inner(dX, x)
    found = compare(left, right, bound=bound)
    return replace(
        found,
        reason=f"<gradient(G), X> is {left!r}, and <G, forward(X)> is {right!r}",
    )


def _inner(a: Any, b: Any) -> float:
    """The inner product, rounded once; NaN where an infinity or NaN is in it."""
    products = (a.astype(np.float64) * b).ravel()
    return math.fsum(products) if np.isfinite(products).all() else math.nan
