"""A call in our order of axes, and the :class:`~d2lconv.parity.terms.Terms` of its results."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from d2lconv.core.options import Pair, Sides
from d2lconv.errors import ArgumentError
from d2lconv.parity.terms import Place, Terms, plain
from d2lconv.parity.values import Values

MODES = {"edge": "edge", "reflect": "reflect", "mirrored": "symmetric", "circular": "wrap"}


@dataclass(frozen=True)
class Call:
    """One call, in our order of axes: images (n, c, h, w), kernels (o, c/groups, kh, kw).

    Attributes:
        of: What the results are: the output, or the gradient with respect to weight, input, bias.
        image: The shape of the images, and
        kernel: that of the kernels.
        X, K, G: Images, kernels, and the gradient (n, o, H, W) at the output; None where the
            results do not depend on them.
        bias: A number for each output (o,), or None.
        stride, padding, dilation, groups: The options, as pairs. Padding may be negative here.
        mode: What the padding is made of: "zeros", or a key of :data:`MODES`.
        output: Height and width of the output, where they are not those that follow.
    """

    of: str
    image: tuple[int, ...]
    kernel: tuple[int, ...]
    X: Values | None
    K: Values | None
    G: Values | None = None
    bias: Values | None = None
    stride: Pair = (1, 1)
    padding: Sides = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1
    mode: str = "zeros"
    output: Pair | None = None

    @cached_property
    def size(self) -> Pair:
        """Height and width of the output of the forward pass."""
        if self.output is not None:
            return self.output
        sizes = zip(
            self.image[2:], self.kernel[2:], self.stride, self.padding, self.dilation, strict=True
        )
        H, W = ((n + sum(p) - (k - 1) * d - 1) // s + 1 for n, k, s, p, d in sizes)
        return H, W

    @property
    def possible(self) -> bool:
        """Whether there is such a result at all: the kernel fits, the channels do."""
        o, per_group = self.kernel[:2]
        fits = min(self.size) >= 1 and per_group * self.groups == self.image[1]
        return fits and o % self.groups == 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the results, in our order."""
        if self.of == "output":
            return (self.image[0], self.kernel[0], *self.size)
        return {"weight": self.kernel, "input": self.image, "bias": self.kernel[:1]}[self.of]

    def terms(self) -> Terms:
        """The terms of the results."""
        return {
            "output": self._output,
            "weight": self._weight,
            "input": self._input,
            "bias": self._bias,
        }[self.of]()

    def ours(self, sums: Any) -> Any:
        """What is computed for the terms (n, o, H, W), in the shape of the results."""
        if self.of == "weight":
            return sums.swapaxes(0, 1)
        return sums.reshape(self.shape)

    def theirs(self, results: Any) -> Any:
        """Results in the shape of the terms."""
        if self.of == "weight":
            return results.swapaxes(0, 1)
        return results.reshape(-1, 1, 1, 1) if self.of == "bias" else results

    def place(self, place: Place) -> Place:
        """The element of the terms that an element of the results is."""
        if self.of == "weight":
            o, i, a, b = place
            return i, o, a, b
        return (*place, 0, 0, 0) if self.of == "bias" else place

    def _padded(self) -> Values:
        return given(self.X).map(lambda a: pad(a, self.padding, self.mode))

    def _output(self) -> Terms:
        A, B = self._padded(), given(self.K)
        geometry = plain(A.shape, B.shape, self.groups, self.size, self.stride, self.dilation)
        return Terms(A, B, geometry, self.bias)

    def _weight(self) -> Terms:
        """Images and gradients change roles: a cross-correlation over batch, rows and columns."""
        padded, groups, G = self._padded(), self.groups, given(self.G)
        needed = [
            max(0, (H - 1) * s + (k - 1) * d + 1 - n)  # zeros, where windows would reach beyond
            for H, k, s, d, n in zip(
                G.shape[2:], self.kernel[2:], self.stride, self.dilation, padded.shape[2:],
                strict=True,
            )
        ]  # fmt: skip
        padded = padded.map(lambda a: pad(a, ((0, needed[0]), (0, needed[1]))))
        n, c, h, w = padded.shape
        A = padded.map(
            lambda a: (
                a.reshape(n, groups, -1, h, w)
                .transpose(2, 1, 0, 3, 4)
                .reshape(c // groups, groups * n, h, w)
            )
        )
        B = G.map(lambda a: a.swapaxes(0, 1))
        kh, kw = self.kernel[2:]
        geometry = plain(A.shape, B.shape, groups, (kh, kw), self.dilation, self.stride)
        return Terms(A, B, geometry)

    def _input(self) -> Terms:
        """The gradient, spread out by the stride, with the kernels turned around."""
        K, G, groups = given(self.K), given(self.G), self.groups
        o, per_group, kh, kw = self.kernel
        kept, places, sizes = [], [], []
        for axis, (k, n) in enumerate(zip((kh, kw), self.image[2:], strict=True)):
            span = (k - 1) * self.dilation[axis]
            first = span - self.padding[axis][0]
            where = np.arange(G.shape[2 + axis]) * self.stride[axis] + first
            inside = (where >= 0) & (where < n + span)
            kept.append(inside)
            places.append(where[inside])
            sizes.append(n + span)

        def spread(a: Any) -> Any:
            found = np.zeros((*a.shape[:2], *sizes), a.dtype)
            found[:, :, places[0][:, None], places[1]] = a[:, :, kept[0]][..., kept[1]]
            return found

        def turned(a: Any) -> Any:
            a = a.reshape(groups, o // groups, per_group, kh, kw)[..., ::-1, ::-1]
            return a.swapaxes(1, 2).reshape(groups * per_group, o // groups, kh, kw)

        A, B = G.map(spread), K.map(turned)
        h, w = self.image[2:]
        return Terms(A, B, plain(A.shape, B.shape, groups, (h, w), (1, 1), self.dilation))

    def _bias(self) -> Terms:
        A = given(self.G).map(lambda a: a.swapaxes(0, 1))
        ones = Values(np.ones((1, *A.shape[1:]), np.float32), None)
        return Terms(A, ones, plain(A.shape, ones.shape))


def given(operand: Values | None) -> Values:
    """An operand that has to be there."""
    if operand is None:
        raise ArgumentError("an operand is missing.")
    return operand


def pad(a: Any, padding: Sides, mode: str = "zeros") -> Any:
    """Images with their padding; a negative one takes rows or columns away.

    Example:
        >>> pad(np.ones((1, 1, 1, 2)), ((0, 0), (-1, 1))).tolist()
        [[[[1.0, 0.0]]]]
    """
    h, w = a.shape[2:]
    (top, bottom), (left, right) = padding
    a = a[:, :, max(0, -top) : h - max(0, -bottom), max(0, -left) : w - max(0, -right)]
    sides = [(0, 0), (0, 0), (max(0, top), max(0, bottom)), (max(0, left), max(0, right))]
    if not any(map(any, sides)):
        return a
    if mode != "zeros":
        return np.pad(a, sides, MODES[mode])  # type: ignore[call-overload]
    (n, c, h, w), (_, _, (top, bottom), (left, right)) = a.shape, sides
    padded = np.zeros((n, c, top + h + bottom, left + w + right), a.dtype)
    padded[:, :, top : top + h, left : left + w] = a  # np.pad takes ten times as long
    return padded
