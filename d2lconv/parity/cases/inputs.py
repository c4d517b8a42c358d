"""What the parity cases start from: shapes, options, and what makes arrays of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from d2lconv.core.geometry import form
from d2lconv.core.options import settings
from d2lconv.parity.cases.case import Arrays, Shapes

SHAPES = (
    ((1, 1), (1, 1)),
    ((6, 8), (1, 2)),
    ((17, 10), (4, 2)),
    ((31, 31), (31, 31)),
    ((64, 48), (5, 5)),
)


LARGE = (((512, 512), (3, 3)), ((512, 512), (31, 31)))


@dataclass(frozen=True)
class LayerShape:
    """A layer: its images, its kernels and its options, as ``Conv2D`` takes them."""

    image: tuple[int, ...]
    kernel: tuple[int, int, int, int]
    options: Mapping[str, Any]


LAYERS = {
    "lenet": LayerShape((2, 1, 14, 14), (6, 1, 5, 5), {"padding": 2}),
    "channels": LayerShape((2, 6, 9, 8), (4, 6, 3, 3), {}),
    "stride": LayerShape((1, 3, 12, 11), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    "same": LayerShape((1, 3, 12, 11), (4, 3, 4, 3), {"stride": (2, 3), "padding": "same"}),
    "sides": LayerShape((1, 2, 8, 7), (3, 2, 3, 2), {"padding": ((2, 0), (1, 2))}),
    "dilation": LayerShape((1, 3, 12, 11), (4, 3, 3, 3), {"dilation": 2, "padding": 2}),
    "groups": LayerShape((2, 6, 8, 8), (4, 3, 3, 3), {"groups": 2, "padding": 1}),
    "depthwise": LayerShape((2, 5, 8, 8), (10, 1, 3, 3), {"groups": 5}),
    "1x1": LayerShape((2, 7, 6, 5), (4, 7, 1, 1), {}),
}


POOLS: dict[str, Mapping[str, Any]] = {
    "max": {"size": 2, "stride": 2},
    "max with padding": {"size": 3, "stride": 2, "padding": 1},
    "mean": {"size": (2, 3), "stride": (2, 1), "mode": "avg"},
    "mean with padding": {"size": 3, "stride": 2, "padding": 1, "mode": "avg"},
    "padding counted": {"size": 3, "padding": 1, "mode": "avg", "count_include_pad": True},
}


ROUNDED_RANKS: dict[str, Shapes] = {
    "matrix": {"X": (9, 8), "K": (3, 2)},
    "channels": {"X": (3, 9, 8), "K": (3, 3, 2)},
    "outputs": {"X": (3, 9, 8), "K": (4, 3, 3, 2)},
    "images": {"X": (2, 3, 9, 8), "K": (4, 3, 3, 2)},
}


def normal(shapes: Shapes, dtype: str = "float32") -> Callable[[Generator], Arrays]:
    """Normal random numbers."""
    return lambda rng: {
        name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()
    }


def shapes(image: tuple[int, int], kernel: tuple[int, int]) -> Shapes:
    """The shapes of image, kernel and output."""
    (h, w), (kh, kw) = image, kernel
    return {"X": (h, w), "K": (kh, kw), "G": (h - kh + 1, w - kw + 1)}


def constant(**values: Any) -> Callable[[Generator], Arrays]:
    """The values given."""
    return lambda rng: {name: np.array(value, np.float32) for name, value in values.items()}


def special(rng: Generator) -> Arrays:
    """A third of the image and one element of the kernel: infinities, NaN, zeros, the largest."""
    inputs = normal(shapes((24, 20), (3, 2)))(rng)
    specials = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, np.finfo("f4").max], np.float32)
    where = rng.random((24, 20)) < 0.3
    inputs["X"][where] = rng.choice(specials, int(where.sum()))
    inputs["K"][1, 0] = -0.0
    return inputs


def wide(rng: Generator) -> Arrays:
    """Numbers over sixteen orders of magnitude, whose sums cancel."""
    inputs = normal(shapes((24, 20), (3, 3)))(rng)
    for array in inputs.values():
        array *= np.float32(10) ** rng.integers(-8, 8, array.shape).astype(np.float32)
    return inputs


def subnormal(rng: Generator) -> Arrays:
    """Numbers below the smallest normal one, and products that are."""
    inputs = normal(shapes((16, 12), (2, 3)))(rng)
    inputs["X"] *= np.float32(1e-38)
    return inputs


def layer(shape: LayerShape, dtype: str, names: str = "XKGb") -> Callable[[Generator], Arrays]:
    """Image, kernel, gradient at the output and bias of a layer, or some of them."""
    options = settings(**shape.options)
    output = form(shape.image, shape.kernel, *options).geometry.shape
    every = {"X": shape.image, "K": shape.kernel, "G": output, "b": shape.kernel[:1]}
    return normal({name: every[name] for name in names}, dtype)


def ties(rng: Generator) -> Arrays:
    """Images of few values, NaN and infinities among them, so that maxima are ties."""
    few = np.array([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf], np.float32)
    return {"X": rng.choice(few, (2, 3, 9, 8), p=[0.2, 0.2, 0.2, 0.2, 0.05, 0.05, 0.1])}
