"""The network that reads what a reader draws, and digits for it."""

from importlib.resources import as_file, files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from d2lconv import mnist, training
from d2lconv.core.contract import FloatArray
from d2lconv.core.lenet import CLASSES
from d2lconv.core.selection import chosen
from d2lconv.training import owner

STEP: Final = 2.0**-15  # a page's parameters are multiples of it, which take half the room


def network() -> Any:
    """LeNet in NumPy, with tanh and max pooling, as ``.github/lenet.py`` trained it."""
    with as_file(files("d2lconv.widgets").joinpath("lenet.npz")) as path:
        return training.load(path, "numpy")


def steps() -> NDArray[np.int16]:
    """Its parameters, rounded to so many ``STEP``, layer by layer: weights, then biases."""
    net = network()
    values = [value.ravel() for value in owner(net).parameters(net).values()]
    steps: NDArray[np.int16] = (np.concatenate(values) / STEP).round().astype("<i2")
    return steps


def samples() -> FloatArray:
    """Of each digit the first image that was held out, (10, 28, 28)."""
    with chosen("numpy"):
        images, labels = mnist.digits(train=False)
    return np.stack([images[labels == digit][0, 0] for digit in range(CLASSES)])
