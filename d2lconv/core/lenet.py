"""LeNet, described once: its layers, the shapes behind them, and the values it starts from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod, sqrt
from typing import Any, Final

import numpy as np

from d2lconv.core import checks
from d2lconv.core.contract import FloatArray

IMAGE: Final = (1, 28, 28)
CLASSES: Final = 10
ACTIVATIONS: Final = ("sigmoid", "tanh", "relu")
POOLS: Final = ("avg", "max")
METHODS: Final = ("rounded", "exact")
LAYERS: Final = ("d2lconv", "builtin")
Values = Mapping[str, FloatArray]  # parameters by name
_TITLES: Final = {
    "conv": "Conv2D",
    "relu": "ReLU",
    "avg": "AvgPool2D",
    "max": "MaxPool2D",
}


@dataclass(frozen=True)
class Layer:
    """A layer, the same in every framework.

    Attributes:
        name: Its name in the network, such as "conv1".
        kind: What it does: "conv", "dense", "flatten", one of ``ACTIVATIONS``, or of ``POOLS``,
            whose windows of 2x2 do not overlap.
        output: The shape of what it makes of one image, without the batch.
        shapes: The shapes of its parameters: kernels (o, c, kh, kw) or weights (o, i), and a bias
            (o,). Empty if it has none.
        padding: How many zeros lie around its images.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    padding: int = 0

    @property
    def title(self) -> str:
        """What the layer is called in a table."""
        return _TITLES.get(self.kind, self.kind.capitalize())

    @property
    def convolution(self) -> dict[str, Any]:
        """The arguments of ``Conv2D`` that make such a layer, but for its values."""
        outputs, inputs, kh, kw = self.shapes["weight"]
        options = {"in_channels": inputs, "out_channels": outputs, "padding": self.padding}
        return {"kernel_size": (kh, kw), **options}

    @property
    def size(self) -> int:
        """The number of its parameters."""
        return sum(map(prod, self.shapes.values()))


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A network, the same in every framework.

    Attributes:
        layers: Its layers, in the order in which they compute.
        options: The arguments of :func:`d2lconv.LeNet` that make it, without the seed.
        start: The parameters that it starts from, by name, such as "conv1.weight".
    """

    layers: tuple[Layer, ...]
    options: Mapping[str, str]
    start: Values

    @property
    def is_builtin(self) -> bool:
        """Whether it consists of the framework's own layers."""
        return self.options["layer"] == "builtin"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all parameters, by name, in the order of the layers."""
        return {f"{one.name}.{p}": s for one in self.layers for p, s in one.shapes.items()}

    @property
    def size(self) -> int:
        """The number of all parameters."""
        return sum(one.size for one in self.layers)

    def values(self, layer: Layer) -> dict[str, FloatArray]:
        """The parameters that a layer starts from: "weight" and "bias", or none."""
        return {name: self.start[f"{layer.name}.{name}"] for name in layer.shapes}

    def __repr__(self) -> str:
        """The options that make it."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())

    def __str__(self) -> str:
        """The shapes after each layer for one image, as the book prints them, and parameters."""
        rows = [(one.title, f"output shape: {(1, *one.output)}", one.size) for one in self.layers]
        lines = [f"{a:<10} {b:<29} {c:>7,}" if c else f"{a:<10} {b}" for a, b, c in rows]
        return "\n".join([*lines, f"{self.size:,} parameters"])


def lenet(
    *, seed: Any = 0, method: Any = "rounded", activation: Any = "sigmoid", pool: Any = "avg",
    layer: Any = "d2lconv",
) -> Network:  # fmt: skip
    """LeNet, with Xavier-uniform weights and zero biases; see :func:`d2lconv.LeNet`.

    Source:
        Dive into Deep Learning, section 7.6. The initial values: Glorot and Bengio, "Understanding
        the difficulty of training deep feedforward neural networks" (2010), equation 16.
    """
    seed = checks.whole_number("seed", seed, least=0)
    options = {
        "method": checks.choice("method", method, METHODS),
        "activation": checks.choice("activation", activation, ACTIVATIONS),
        "pool": checks.choice("pool", pool, POOLS),
        "layer": checks.choice("layer", layer, LAYERS),
    }
    layers = (
        Layer("conv1", "conv", (6, 28, 28), {"weight": (6, 1, 5, 5), "bias": (6,)}, padding=2),
        Layer("activation1", activation, (6, 28, 28)),
        Layer("pool1", pool, (6, 14, 14)),
        Layer("conv2", "conv", (16, 10, 10), {"weight": (16, 6, 5, 5), "bias": (16,)}),
        Layer("activation2", activation, (16, 10, 10)),
        Layer("pool2", pool, (16, 5, 5)),
        Layer("flatten", "flatten", (400,)),
        Layer("dense1", "dense", (120,), {"weight": (120, 400), "bias": (120,)}),
        Layer("activation3", activation, (120,)),
        Layer("dense2", "dense", (84,), {"weight": (84, 120), "bias": (84,)}),
        Layer("activation4", activation, (84,)),
        Layer("dense3", "dense", (CLASSES,), {"weight": (CLASSES, 84), "bias": (CLASSES,)}),
    )
    generator = np.random.default_rng(seed)
    network = Network(layers, options, {})
    start = {name: _drawn(generator, shape) for name, shape in network.shapes.items()}
    return Network(layers, options, start)


def _drawn(generator: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """A bias of zeros, or weights between plus and minus sqrt(6 / (fan_in + fan_out))."""
    if len(shape) == 1:
        return np.zeros(shape, np.float32)
    bound = sqrt(6 / ((shape[0] + shape[1]) * prod(shape[2:])))
    return generator.uniform(-bound, bound, shape).astype(np.float32)
