"""What a parity case is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.random import Generator

from d2lconv.binding import bind
from d2lconv.core.contract import FloatArray
from d2lconv.parity.verdict import Comparison

Arrays = dict[str, FloatArray]


Shapes = dict[str, tuple[int, ...]]


Comparisons = dict[str, Callable[[Any, Any], Comparison]]


@dataclass(frozen=True)
class Case:
    """One parity case.

    Attributes:
        name: Words joined by slashes, from the general to the particular.
        make: Makes the inputs, NumPy arrays by name, from a seeded generator.
        compute: Takes a bound backend and the inputs, gives tensors by name.
        expected: What a bounded case is compared with: takes the inputs, gives arrays by name.
        compared: Compares results as what they are of: takes the inputs, gives functions of actual
            and expected by name. It decides about bounded cases and known deviations, and says why
            a result is wrong.
        allowed: The largest honest difference, where that is not all: takes the inputs, gives
            arrays by name. It decides before ``compared``.
        exact: Whether the case claims the same bits.
    """

    name: str
    make: Callable[[Generator], Arrays]
    compute: Callable[..., dict[str, Any]]
    expected: Callable[..., dict[str, Any]] | None = None
    compared: Callable[..., Comparisons] | None = None
    allowed: Callable[..., dict[str, Any]] | None = None
    exact: bool = True

    def inputs(self) -> Arrays:
        """The inputs, the same at every call and in every process."""
        return self.make(np.random.default_rng(crc32(self.name.encode())))

    def run(self, backend: str, inputs: Arrays) -> Arrays:
        """The results in one backend, as NumPy arrays."""
        dc = bind(backend)
        results = self.compute(dc, **inputs)
        return {name: dc.to_numpy(value) for name, value in results.items()}

    def reference(self, inputs: Arrays) -> Arrays:
        """What every backend's results are compared with."""
        if self.expected is None:
            return self.run("numpy", inputs)
        return {name: np.asarray(value) for name, value in self.expected(**inputs).items()}
