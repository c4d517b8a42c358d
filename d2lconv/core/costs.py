"""How long a method should take: the model by which ``method="auto"`` chooses, and its answer.

The time of a method is taken to be a sum of four parts, each with a constant of its own, measured
for each framework and stated in its manifest:

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
from types import MappingProxyType
from typing import Any

from d2lconv.core.geometry import Geometry, output_size, power_of_two
from d2lconv.core.manifest import Cost, Manifest
from d2lconv.core.places import BLOCK
from d2lconv.core.shown import Shown

Shape = tuple[int, ...]

EXACT_ALLOWANCE = 1.1  # "exact" is taken up to this many times the fastest: same bits are worth it
NATIVE_MARGIN = 1.15  # "native" is left only for what should be this many times as fast
WINDOWS = 2**17  # elements of all windows together, up to which "matmul" is considered

BOUNDS: Mapping[str, str] = MappingProxyType(
    {
        "exact": "the same bits in every framework",
        "rounded": "the true value, rounded once, and so the same bits in every framework",
        "native": "rounding, element by element (d2lconv.parity.bounds.corr2d)",
        "banded": "rounding, element by element (d2lconv.parity.bounds.corr2d)",
        "matmul": "rounding, element by element (d2lconv.parity.bounds.corr2d)",
        "fft": "rounding, of the size of the whole image (d2lconv.parity.bounds.fft)",
    }
)


@dataclass(frozen=True)
class Explanation(Shown):
    """Which method ``method="auto"`` takes for an image and a kernel, and why.

    Attributes:
        method: The method.
        backend: The backend's name.
        bound: What is known of how far its result is from that of other methods.
        estimates: The microseconds that each method should take, the fastest first.
        counts: For "rounded", how many elements were found in which way
            (:class:`d2lconv.rounding.Counts`); else None.
    """

    method: str
    backend: str
    bound: str
    estimates: Mapping[str, float]
    counts: Any = None

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        times = ", ".join(f"{name} {time:,.0f} µs" for name, time in self.estimates.items())
        expected = f" Expected: {times}." if times else ""
        found = "" if self.counts is None else f" Of {self.counts}."
        return f"{self.method} in {self.backend}.{expected} Bound: {self.bound}.{found}"


def amounts(method: str, image: Shape, kernel: Shape) -> tuple[float, float, float, float]:
    """What a method's constants are multiplied with; outputs and multiplications in millions.

    Example:
        >>> amounts("exact", (11, 11), (2, 2))
        (1.0, 4.0, 0.0001, 0.0004)
    """
    steps, multiplications = _AMOUNTS[method](image, kernel)
    outputs = math.prod(output_size(image, kernel))
    return 1.0, float(steps), outputs / 1e6, multiplications / 1e6


def considered(method: str, image: Shape, kernel: Shape) -> bool:
    """Whether a method comes into question for these shapes."""
    return method != "matmul" or _native(image, kernel)[1] <= WINDOWS


def _exact(image: Shape, kernel: Shape) -> tuple[float, float]:
    return math.prod(kernel), _native(image, kernel)[1]


def _native(image: Shape, kernel: Shape) -> tuple[float, float]:
    outputs, elements = math.prod(output_size(image, kernel)), math.prod(kernel)
    return outputs * max(0, elements - 25) / 1e6, outputs * elements


def _banded(image: Shape, kernel: Shape) -> tuple[float, float]:
    (H, W), (kh, kw) = output_size(image, kernel), kernel
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


def explain(manifest: Manifest, geometry: Geometry) -> Explanation:
    """The fastest of a backend's methods for these shapes; "exact" if it states no costs.

    For layers, with channels, strides, padding, dilation or groups, it is the framework's own
    convolution: the constants are those of one image and one kernel.
    """
    if not geometry.is_simple:
        method = "native" if manifest.costs else "exact"
        return Explanation(method, manifest.name, BOUNDS[method], MappingProxyType({}))
    image, kernel = geometry.image[2:], geometry.kernel[2:]
    times: dict[str, float] = {}
    for cost in manifest.costs:
        if cost.holds(image, kernel) and considered(cost.method, image, kernel):
            times.setdefault(cost.method, estimate(cost, image, kernel))
    ordered = dict(sorted(times.items(), key=lambda item: item[1]))
    method = next(iter(ordered), "exact")
    if times.get("exact", math.inf) <= EXACT_ALLOWANCE * times.get(method, 0.0):
        method = "exact"
    if times.get("native", math.inf) < NATIVE_MARGIN * times.get(method, 0.0):
        method = "native"
    return Explanation(method, manifest.name, BOUNDS[method], MappingProxyType(ordered))
