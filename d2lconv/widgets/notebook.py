"""Widgets in notebooks, with anywidget (the extra "widgets").

"exercises" has no class: a notebook has a cell to answer in, and ``dc.check``. Where a notebook is
merely displayed, and nothing is alive, a widget shows a picture of itself (the extra "plots").
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from d2lconv import images
from d2lconv.core import reference
from d2lconv.errors import ExtraNotInstalled
from d2lconv.extras import needed
from d2lconv.receptive import Window
from d2lconv.widgets import trained
from d2lconv.widgets.pages import defaults, module, style

with needed("widgets"):
    import anywidget
    import traitlets


INPUT, KERNEL = [[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]]  # LESSON in arithmetic.js


def _synchronised(count: int) -> Iterator[Any]:
    """Values that Python and the notebook's page share; None is what the lesson starts with."""
    return (traitlets.Any(None, allow_none=True).tag(sync=True) for _ in range(count))


class _Widget(anywidget.AnyWidget):
    """A widget, with a picture of it for where it is not alive."""

    _css = style()

    def _still(self, figures: Any) -> Any:
        """The picture, drawn with :mod:`d2lconv.figures`."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        try:
            from d2lconv import figures
        except ExtraNotInstalled:
            return shown
        if shown is None:
            return None
        data, about = shown
        png, words = (each["image/png"] for each in self._still(figures)._repr_mimebundle_())
        return data | {"image/png": png}, about | {"image/png": words}


class SlidingWindow(_Widget):
    """A kernel that slides over an input, and the sums that it leaves behind.

    Attributes:
        input: The rows of the input.
        kernel: The rows of the kernel.
        position: Row and column of the window.

    Example:
        >>> SlidingWindow(kernel=[[1, -1]]).kernel
        [[1, -1]]
    """

    _esm = module("window")
    input, kernel, position = _synchronised(3)

    def _still(self, figures: Any) -> Any:
        return figures.windows(self.input or INPUT, self.kernel or KERNEL)


class EdgeDetector(_Widget):
    """A kernel, and what it makes of a picture that the reader draws or loads.

    Attributes:
        image: The rows of the image, 0 for black and 1 for white.
        kernel: The rows of the kernel.
        photographs: Pictures to choose from, by name: the bytes of squares, in base64.
    """

    _esm = module("edges")
    image, kernel = _synchronised(2)
    photographs = traitlets.Dict(defaults("edges")["photographs"]).tag(sync=True)

    def _still(self, figures: Any) -> Any:
        image = images.edge_image() if self.image is None else self.image
        return figures.correlation(image, self.kernel or [[1, -1]])


class LearningLoop(_Widget):
    """Gradient descent on the loss over the two weights of a kernel, step by step.

    Attributes:
        image: The rows of the image.
        kernel: The kernel to be learned, one row with two weights.
        runs: Starting points, as in ``published.json``; by default the five published runs.
        initial: The kernel to start from.
        lr: The learning rate.
        epochs: The number of steps.
    """

    _esm = module("learning")
    image, kernel = _synchronised(2)
    runs = traitlets.List(defaults("learning")["runs"]).tag(sync=True)
    initial, lr, epochs = _synchronised(3)

    def _still(self, figures: Any) -> Any:
        X = np.array(images.edge_image() if self.image is None else self.image, np.float64)
        K = np.array(self.kernel or [[1, -1]], np.float64)
        init = self.initial or [[0.3, 0.7]]
        return figures.error_surface(X, reference.corr2d(X, K), init=init)


class ReceptiveFields(_Widget):
    """What one element of a stack's output sees in every map below it.

    Attributes:
        size: The side of the input.
        layers: The keyword arguments of ``dc.Window`` for each layer, as numbers.
    """

    _esm = module("receptive")
    size, layers = _synchronised(2)

    def _still(self, figures: Any) -> Any:
        layers = [Window(**layer) for layer in self.layers or [{"kernel_size": 2}] * 2]
        return figures.receptive_field(layers, (self.size or 3,) * 2)


class PaddingAndStrides(_Widget):
    """An image in a frame of zeros, the windows on it, and how many there are.

    Attributes:
        input: The rows of the input.
        kernel: The rows of the kernel.
        padding: ((above, below), (left, right)).
        stride: Down and across.
        dilation: The same.
        position: Row and column of the output element that is looked at.
    """

    _esm = module("strides")
    input, kernel, padding, stride, dilation, position = _synchronised(6)

    def _still(self, figures: Any) -> Any:
        sides = self.padding or [[1, 1], [1, 1]]
        image = np.pad(np.array(self.input or INPUT), sides)
        stride, dilation = (tuple(steps or (1, 1)) for steps in (self.stride, self.dilation))
        kernel = self.kernel or KERNEL
        return figures.correlation(image, kernel, stride=stride, dilation=dilation)


class Pooling(_Widget):
    """The maximum and the mean of the same windows.

    Attributes:
        input: The rows of the input.
        size: Height and width of the window.
        padding: Rows and columns on each side.
        stride: Down and across.
        outside: What stands there: "nothing" or "zeros".
        position: Row and column of the window.
        photographs: Pictures to choose from, by name: the bytes of squares, in base64.
    """

    _esm = module("pooling")
    input, size, padding, stride, outside, position = _synchronised(6)
    photographs = traitlets.Dict(defaults("pooling")["photographs"]).tag(sync=True)

    def _still(self, figures: Any) -> Any:
        image = self.input or [[4 * i + j for j in range(4)] for i in range(4)]
        return figures.heat_map(image, title="Input")


class Channels(_Widget):
    """A kernel with a sheet for each sheet of an image, the sum over them, and several outputs.

    Attributes:
        input: The sheets of the input, (c, h, w).
        kernels: A kernel for each output, (o, c, kh, kw).
        output: The number of the output that is looked at, from 0.
        position: Row and column of the window.
    """

    _esm = module("channels")
    input, kernels, output, position = _synchronised(4)

    def _still(self, figures: Any) -> Any:
        sheets = self.input or [np.arange(9).reshape(3, 3) + c for c in range(3)]
        kernels = self.kernels or [[np.arange(4).reshape(2, 2) + c for c in range(3)]]
        return figures.correlation(sheets, kernels[self.output or 0])


class LeNet(_Widget):
    """A digit that the reader draws, what each layer makes of it, and the ten probabilities.

    The network is LeNet with tanh and max pooling, as ``d2lconv train --epochs 10`` leaves it. Its
    parameters are rounded to multiples of 2**-15, so that a page has 165 KB of them.

    Attributes:
        image: The rows of the image, 28 of 28, from 0 for the ground to 1 for the ink.
        weights: The parameters: 16-bit integers in base64.
        digits: An image of each digit to choose from: its bytes, in base64.
    """

    _esm = module("lenet")
    (image,) = _synchronised(1)
    weights = traitlets.Unicode(defaults("lenet")["weights"]).tag(sync=True)
    digits = traitlets.List(defaults("lenet")["digits"]).tag(sync=True)

    def _still(self, figures: Any) -> Any:
        image = trained.samples()[3] if self.image is None else self.image
        return figures.feature_maps(trained.network(), image)
