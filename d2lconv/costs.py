"""How long a method should take: the model by which ``method="auto"`` chooses, and its answer.

The time of a method is taken to be a sum of four parts, each with a constant of its own, measured
for each framework and stated in its manifest::

    time = fixed + step * steps + output * H * W + work * multiplications

=========  =============================  ================================================
method     steps                          multiplications
=========  =============================  ================================================
exact      kernel elements                H * W for each kernel element
native     a million multiplications by   H * W for each kernel element
           kernel elements past the 25th
banded     kernel rows                    H * W for each kernel row and row of its band
                                          matrix
fft        none                           N * log2(N) for N elements of the transform
matmul     none                           H * W for each kernel element
=========  =============================  ================================================

Where a framework is fast for kernels up to 5x5 only, native's steps tell. PyTorch takes another
algorithm for kernels of more than 3x3 and for large images: there native has constants for either.

What matters is which one is the fastest, and that only where they differ much; so few constants
are enough, and another machine mostly agrees. ``d2lconv bench --fit`` fits them anew. "loop" is
never the fastest. "matmul" takes memory for every window of the image, so it is considered for
small images alone, and in PyTorch, where it is faster there than the framework's own convolution.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from d2lconv.checks import output_shape
from d2lconv.contract import power_of_two
from d2lconv.data import operands
from d2lconv.manifest import Cost, Manifest
from d2lconv.matrices import BLOCK
from d2lconv.registry import Backend

Shape = tuple[int, ...]

LITTLE = 1.1  # so many times slower "exact" is taken all the same: the same bits are worth that
SURELY = 1.15  # so many times slower "native" is: it at least is not slower than itself
WINDOWS = 2**17  # elements of all windows together, up to which "matmul" is considered

BOUNDS: Mapping[str, str] = MappingProxyType(
    {
        "exact": "the same bits in every framework",
        "native": "rounding, element by element (d2lconv.parity.bounds.corr2d)",
        "banded": "rounding, element by element (d2lconv.parity.bounds.corr2d)",
        "matmul": "rounding, element by element (d2lconv.parity.bounds.corr2d)",
        "fft": "rounding, of the size of the whole image (d2lconv.parity.bounds.fft)",
    }
)


@dataclass(frozen=True)
class Explanation:
    """Which method ``method="auto"`` takes for an image and a kernel, and why.

    Attributes:
        method: The method.
        backend: The backend's name.
        bound: What is known of how far its result is from that of other methods.
        estimates: The microseconds that each method should take, the fastest first.
    """

    method: str
    backend: str
    bound: str
    estimates: Mapping[str, float]

    def __str__(self) -> str:
        times = ", ".join(f"{name} {time:,.0f} µs" for name, time in self.estimates.items())
        return f"{self.method} in {self.backend}. Expected: {times}. Bound: {self.bound}."


def amounts(method: str, image: Shape, kernel: Shape) -> tuple[float, float, float, float]:
    """What a method's constants are multiplied with; outputs and multiplications in millions.

    Example:
        >>> amounts("exact", (11, 11), (2, 2))
        (1.0, 4.0, 0.0001, 0.0004)
    """
    steps, multiplications = _AMOUNTS[method](image, kernel)
    outputs = math.prod(output_shape(image, kernel))
    return 1.0, float(steps), outputs / 1e6, multiplications / 1e6


def considered(method: str, image: Shape, kernel: Shape) -> bool:
    """Whether a method comes into question for these shapes."""
    return method != "matmul" or _native(image, kernel)[1] <= WINDOWS


def _exact(image: Shape, kernel: Shape) -> tuple[float, float]:
    return math.prod(kernel), _native(image, kernel)[1]


def _native(image: Shape, kernel: Shape) -> tuple[float, float]:
    outputs, elements = math.prod(output_shape(image, kernel)), math.prod(kernel)
    return outputs * max(0, elements - 25) / 1e6, outputs * elements


def _banded(image: Shape, kernel: Shape) -> tuple[float, float]:
    (H, W), (kh, kw) = output_shape(image, kernel), kernel
    return kh, H * W * kh * (min(W, BLOCK) + kw - 1)


def _matmul(image: Shape, kernel: Shape) -> tuple[float, float]:
    return 0, _native(image, kernel)[1]


def _fft(image: Shape, kernel: Shape) -> tuple[float, float]:
    n = math.prod(map(power_of_two, image))
    return 0, n * math.log2(n)


_AMOUNTS: dict[str, Callable[[Shape, Shape], tuple[float, float]]] = {
    "exact": _exact,
    "native": _native,
    "banded": _banded,
    "matmul": _matmul,
    "fft": _fft,
}


def estimate(cost: Cost, image: Shape, kernel: Shape) -> float:
    """The microseconds that a method should take."""
    constants = cost.fixed, cost.step, cost.output, cost.work
    return sum(
        c * amount for c, amount in zip(constants, amounts(cost.method, image, kernel), strict=True)
    )


def explain(manifest: Manifest, image: Shape, kernel: Shape) -> Explanation:
    """The fastest of a backend's methods for these shapes; "exact" if it states no costs."""
    output_shape(image, kernel)
    times: dict[str, float] = {}
    for cost in manifest.costs:
        if cost.holds(image, kernel) and considered(cost.method, image, kernel):
            times.setdefault(cost.method, estimate(cost, image, kernel))
    ordered = dict(sorted(times.items(), key=lambda item: item[1]))
    method = next(iter(ordered), "exact")
    if times.get("exact", math.inf) <= LITTLE * times.get(method, 0.0):
        method = "exact"
    if times.get("native", math.inf) < SURELY * times.get(method, 0.0):
        method = "native"
    return Explanation(method, manifest.name, BOUNDS[method], MappingProxyType(ordered))


def explain_for(backend: Backend, X: Any, K: Any) -> Explanation:
    """The public ``explain`` for one backend."""
    X, K = operands(backend.name, X=X, K=K)
    return explain(backend.manifest, tuple(X.shape), tuple(K.shape))


@lru_cache(2**12)
def fastest(manifest: Manifest, image: Shape, kernel: Shape) -> str:
    """The name of the method that should be the fastest for these shapes."""
    return explain(manifest, image, kernel).method
