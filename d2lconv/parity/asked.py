"""A framework's own layers under question: what runs in them show of its conventions.

Names of options are found by trying them, axes by lengths that no two of them share, padding by
sums of ones. A refusal is an answer only if it is of one of the kinds :data:`REFUSALS` and names
what it refuses. Whatever else is raised is a mistake of ours, and stays an error.
"""

import math
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

CHANNELS, OUTPUTS = 7, 11  # unlike all other lengths, so that a shape tells which axis is which
OPTIONS: dict[str, tuple[tuple[str, ...], Any]] = {
    "stride": (("stride", "strides"), 2),
    "dilation": (("dilation", "dilation_rate", "kernel_dilation", "dilate"), 2),
    "groups": (("groups", "feature_group_count", "num_group"), 2),
}
# An unknown option is a TypeError, in Keras a ValueError; a word for padding that is not taken is
# one of them, too, in MXNet an MXNetError, which is a RuntimeError; so are types in PyTorch.
REFUSALS = (TypeError, ValueError, RuntimeError)


class Asked:
    """The layers of one framework, and what the probes know of them so far."""

    def __init__(self, own: Any) -> None:
        self.own = own

    @cached_property
    def layout(self) -> str:
        """The order of an image's axes."""
        Y, _, _ = self.own.convolution(np.zeros((1, 7, 8, 9), "f4"), OUTPUTS, (2, 3))
        return "NCHW" if Y.shape[1] == OUTPUTS else "NHWC"

    @cached_property
    def kernels(self) -> str:
        """The order of a kernel's axes."""
        _, kernel, _ = self.own.convolution(
            self.image(np.zeros((1, CHANNELS, 8, 9), "f4")), OUTPUTS, (2, 3)
        )
        return "".join({OUTPUTS: "O", CHANNELS: "I", 2: "H", 3: "W"}[n] for n in kernel.shape)

    def image(self, X: Any) -> Any:
        """Images (n, c, h, w) in the framework's layout."""
        return np.ascontiguousarray(X if self.layout == "NCHW" else X.transpose(0, 2, 3, 1))

    def plane(self, Y: Any) -> Any:
        """The first image and channel of a result in the framework's layout."""
        return Y[0, 0] if self.layout == "NCHW" else Y[0, :, :, 0]

    def convolution(self, X: Any, K: Any, outputs: int = 1, **options: Any) -> Any:
        """The first output for images (n, c, h, w) and one kernel (kh, kw) for all channels."""
        order = tuple("OIHW".index(axis) for axis in self.kernels)
        kernel = np.asarray(K, "f4")[None, None].transpose(order)
        Y, _, _ = self.own.convolution(
            self.image(X), outputs, np.shape(K), kernel=kernel, **options
        )
        return self.plane(Y)

    def option(self, what: str) -> str | None:
        """An option's name: the one that is taken, and matters; None if there is none."""
        names, value = OPTIONS[what]
        X = np.random.default_rng(0).standard_normal((1, 2, 9, 9)).astype("f4")
        before = self.convolution(X, np.ones((3, 3)), 2)
        for name in names:
            options: Any = {name: value}
            after, refused = tried(f"'{name}'", self.convolution, X, np.ones((3, 3)), 2, **options)
            if not refused and not np.array_equal(before, after):
                return name
        return None

    def same(self, size: int, kernel: int, stride: int) -> str:
        """The zeros before and after that "same" means, read off sums of ones."""
        X, ones = np.ones((1, 1, size, 1), "f4"), np.ones((kernel, 1))
        options: Any = {"padding": "same"}
        if stride != 1:
            options[self.option("stride")] = stride
        Y, refused = tried("'same'|'padding'", self.convolution, X, ones, **options)
        return "refused" if refused else self.pads(Y, size, kernel, stride)

    def pads(self, Y: Any, size: int, kernel: int, stride: int) -> str:
        """The zeros before and after, where the windows on ones gave Y."""
        before = kernel - int(Y[0, 0])
        after = (len(Y) - 1) * stride - before + kernel - size
        return f"{before}, {max(after, 0)}"

    def padded(self, pooling: Any, X: Any) -> Any:
        """3x3 windows, one step apart, with a border of one, in whatever form that is taken."""
        X = self.image(X)
        step: Any = {self.option("stride"): (1, 1)}
        Y, refused = tried("'same'|'padding'", pooling, X, (3, 3), padding="same", **step)
        return self.plane(pooling(X, (3, 3), padding=1, **step) if refused else Y)


def tried(named: str, run: Callable[..., Any], *given: Any, **options: Any) -> tuple[Any, str]:
    """What a call gives, and the kind of error if it is refused in words with this pattern."""
    try:
        return run(*given, **options), ""
    except REFUSALS as error:
        if not re.search(named, str(error)):
            raise
        return None, type(error).__name__


def flipped(asked: Asked) -> str:
    """Whether the kernel is flipped."""
    impulse = np.zeros((1, 1, 1, 4), "f4")
    impulse[..., 2] = 1
    found = asked.convolution(impulse, [[1, 2]])[0].tolist()
    return "no" if 2 in found and found.index(2) < found.index(1) else "yes"


def default_padding(asked: Asked) -> str:
    """The zeros that are added if none are asked for."""
    return asked.pads(asked.convolution(np.ones((1, 1, 8, 1), "f4"), np.ones((3, 1))), 8, 3, 1)


def pooling_stride(asked: Asked) -> str:
    """The distance of windows of 3."""
    Y = asked.plane(asked.own.max_pooling(asked.image(np.zeros((1, 1, 9, 9), "f4")), (3, 3)))
    return {3: "3", 7: "1"}[len(Y)]


def pooling_padding(asked: Asked) -> str:
    """What surrounds an image in max pooling: -inf everywhere loses to anything greater."""
    found = asked.padded(asked.own.max_pooling, np.full((1, 1, 4, 4), -np.inf, "f4"))
    return f"{found[0, 0]:.2g}"


def counted(asked: Asked) -> str:
    """Whether a mean is divided by the padding too."""
    found = asked.padded(asked.own.mean_pooling, np.ones((1, 1, 4, 4), "f4"))
    return {4: "yes", 9: "no"}[round(9 * float(found[0, 0]))]


def _initial(asked: Asked, channels: int = 32) -> tuple[Any, Any]:
    _, kernel, bias = asked.own.convolution(
        asked.image(np.zeros((1, channels, 5, 5), "f4")), 64, (3, 3)
    )
    return kernel.astype("f8").ravel(), bias


def distribution(asked: Asked) -> str:
    """How the values of a new kernel are distributed, by their fourth moment.

    It may be off by five of its standard errors: by chance, that is once in a million kernels.
    """
    kernel, _ = _initial(asked)
    square = kernel**2 / np.mean(kernel**2)
    found = float(np.mean(square**2))
    # To first order, what each value adds to that quotient of means, but for a constant.
    error = float(np.std(square**2 - 2 * found * square)) / math.sqrt(square.size)
    kinds = {1.8: "uniform", 2.366: "cut normal", 3.0: "normal"}  # cut at two deviations
    nearest = min(kinds, key=lambda moment: abs(moment - found))
    return kinds[nearest] if abs(nearest - found) < 5 * error else f"4th moment {found:.1f}"


def bound(asked: Asked, channels: int) -> str:
    """The largest value of a new kernel."""
    return f"{np.abs(_initial(asked, channels)[0]).max():.2g}"


def deviation(asked: Asked) -> str:
    """The standard deviation of a new kernel."""
    return f"{_initial(asked)[0].std():.2g}"


def bias(asked: Asked) -> str:
    """A new layer's bias."""
    _, bias = _initial(asked)
    if bias is None:
        return "none"
    return "zeros" if not bias.any() else "random"


def result_type(asked: Asked, dtype: str) -> str:
    """The type of the results, or the kind of error that refuses the images' type."""
    X = asked.image(np.ones((1, 2, 5, 5), "f4"))
    asked.own.convolution(X, 3, (3, 3))  # so that the type is all that can be refused below
    found, refused = tried("type", asked.own.convolution, X.astype(dtype), 3, (3, 3))
    return refused or str(found[0].dtype.name)


def flatten_order(asked: Asked) -> str:
    """The order of an image's elements before a dense layer."""
    X = np.arange(24, dtype="f4").reshape(1, 2, 3, 4)
    found = asked.own.flatten(asked.image(X)).ravel()
    orders = {"c, h, w": X, "h, w, c": X.transpose(0, 2, 3, 1)}
    fitting = [name for name, values in orders.items() if np.array_equal(found, values.ravel())]
    return fitting[0] if fitting else "another"
