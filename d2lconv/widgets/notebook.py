"""Widgets in notebooks, with anywidget (the extra "widgets").

"exercises" has no class: a notebook has a cell to answer in, and ``dc.check``.
"""

from typing import Any

from d2lconv.extras import needed
from d2lconv.widgets.pages import defaults, module, style

with needed("widgets"):
    import anywidget
    import traitlets


def _synchronised() -> Any:
    """A value that Python and the notebook's page share; None is what the lesson starts with."""
    return traitlets.Any(None, allow_none=True).tag(sync=True)


class SlidingWindow(anywidget.AnyWidget):
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
    _css = style()
    input = _synchronised()
    kernel = _synchronised()
    position = _synchronised()


class EdgeDetector(anywidget.AnyWidget):
    """A kernel, and what it makes of a picture that the reader draws or loads.

    Attributes:
        image: The rows of the image, 0 for black and 1 for white.
        kernel: The rows of the kernel.
    """

    _esm = module("edges")
    _css = style()
    image = _synchronised()
    kernel = _synchronised()


class LearningLoop(anywidget.AnyWidget):
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
    _css = style()
    image = _synchronised()
    kernel = _synchronised()
    runs = traitlets.List(defaults("learning")["runs"]).tag(sync=True)
    initial = _synchronised()
    lr = _synchronised()
    epochs = _synchronised()


class ReceptiveFields(anywidget.AnyWidget):
    """What one element of a stack's output sees in every map below it.

    Attributes:
        size: The side of the input.
        layers: The keyword arguments of ``dc.Window`` for each layer, as numbers.
    """

    _esm = module("receptive")
    _css = style()
    size = _synchronised()
    layers = _synchronised()
