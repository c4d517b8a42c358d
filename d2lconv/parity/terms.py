"""Sums of products, whichever operation they belong to: the terms of every element of a result.

A cross-correlation, both of its gradients, and a mean are all sums of products of an element of one
array and an element of another, and all of them are written here as one cross-correlation of images
(n, c, h, w), padding included, with kernels (o, c/groups, kh, kw). What is asked about rounding is
asked about these sums.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core.geometry import Geometry, Shape
from d2lconv.core.options import Pair
from d2lconv.parity.values import Values

Array = NDArray[np.float64]
Place = tuple[int, ...]


@dataclass(frozen=True)
class Terms:
    """The terms of sums of products, exactly as they were given.

    Attributes:
        A: The images (n, c, h, w), padding included.
        B: The kernels (o, c/groups, kh, kw).
        geometry: Which element of A meets which of B; it has no padding.
        bias: A number (o,) for each output, which is added to its sums, or None.
    """

    A: Values
    B: Values
    geometry: Geometry
    bias: Values | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (n, o, H, W) of the sums."""
        return self.geometry.shape

    @property
    def operands(self) -> list[Values]:
        """A, B and the bias, if there is one."""
        return [t for t in (self.A, self.B, self.bias) if t is not None]

    @property
    def count(self) -> int:
        """How many terms a sum has, the bias being one."""
        return self.geometry.products + (self.bias is not None)

    @cached_property
    def offset(self) -> Array:
        """The bias in float64, as it is added to (n, o, H, W); zeros if there is none."""
        if self.bias is None:
            return np.zeros((1, self.geometry.kernel[0], 1, 1))
        offset: Array = self.bias.wide().reshape(1, -1, 1, 1)
        return offset

    def sums(self, A: Array, B: Array) -> Array:
        """The same sums for other numbers in the place of A and B, without a bias."""
        return correlate(A, B, self.geometry)

    @cached_property
    def value(self) -> Array:
        """The sums in float64: the true ones but for n roundings of 2**-53."""
        with np.errstate(all="ignore"):
            value: Array = self.sums(self.A.wide(), self.B.wide()) + self.offset
        return value

    @cached_property
    def size(self) -> Array:
        """The sums of the absolute values of the terms, infinities and NaNs left out."""
        A, B, offset = (
            np.where(np.isfinite(t), np.abs(t), 0.0)
            for t in (self.A.wide(), self.B.wide(), self.offset)
        )
        with np.errstate(over="ignore", under="ignore"):
            size: Array = self.sums(A, B) + offset
        return size

    def window(self, place: Place) -> tuple[Any, Any]:
        """The elements of A, and of B, whose products an element is the sum of, as indices."""
        geometry = self.geometry
        n, o, i, j = place
        (per_group, outputs), (kh, kw) = geometry.in_groups, geometry.kernel[2:]
        (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
        first = o // outputs * per_group
        rows = slice(i * sh, i * sh + (kh - 1) * dh + 1, dh)
        columns = slice(j * sw, j * sw + (kw - 1) * dw + 1, dw)
        return (n, slice(first, first + per_group), rows, columns), (o,)

    def gather(self, places: Any) -> tuple[Array, Array, Array]:
        """The factors of the products of some elements in float64, a row each, and their biases.

        Args:
            places: Indices (m, 4) of elements.
        """
        n, o, i, j = np.asarray(places).T
        geometry = self.geometry
        (per_group, outputs), (kh, kw) = geometry.in_groups, geometry.kernel[2:]
        (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
        rows = (i * sh)[:, None, None, None] + np.arange(kh)[:, None] * dh
        columns = (j * sw)[:, None, None, None] + np.arange(kw) * dw
        channel = (o // outputs * per_group)[:, None, None, None]
        channel = channel + np.arange(per_group)[:, None, None]
        a = self.A.floats[n[:, None, None, None], channel, rows, columns].reshape(len(n), -1)
        b = self.B.floats[o].reshape(len(n), -1)
        return a.astype(np.float64), b.astype(np.float64), self.offset[0, o, 0, 0]


def plain(
    images: Shape,
    kernels: Shape,
    groups: int = 1,
    output: Pair = (1, 1),
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
) -> Geometry:
    """The geometry of images that have their padding."""
    sizes = kernels[0], kernels[1], kernels[2], kernels[3]
    return Geometry(images, sizes, stride, ((0, 0), (0, 0)), dilation, groups, output)


def correlate(A: Array, B: Array, geometry: Geometry) -> Array:
    """The cross-correlation in float64, by matrix products: fast, in an order nobody chose."""
    groups, (per_group, _), (H, W) = geometry.groups, geometry.in_groups, geometry.output
    kernels = B.reshape(groups, -1, geometry.products)
    found = np.empty((len(A), groups, kernels.shape[1], H * W))
    for image, result in zip(A, found, strict=True):
        channels = image.reshape(groups, per_group, *image.shape[1:])
        taps = [channels[..., rows, columns] for *_, rows, columns in geometry.taps()]
        windows = np.stack(taps, axis=2).reshape(groups, geometry.products, H * W)
        np.matmul(kernels, windows, out=result)
    return found.reshape(geometry.shape)
