"""Is a difference rounding, or a bug? Measuring, bounds with proofs, and the parity run.

- :func:`compare` compares two results and answers in one word.
- :mod:`~d2lconv.parity.bounds` has the a-priori bounds, each with its derivation.
- :func:`run` runs the parity cases in every framework.
"""

from typing import Any

from d2lconv.parity import bounds
from d2lconv.parity.compare import Comparison, compare
from d2lconv.parity.ulp import same_bits, ulp_distance

__all__ = ["Comparison", "bounds", "compare", "run", "same_bits", "ulp_distance"]


def __getattr__(name: str) -> Any:
    """``run``, which brings the library for workers along, only when it is asked for."""
    if name == "run":
        from d2lconv.parity.runner import run

        return run
    raise AttributeError(f"module 'd2lconv.parity' has no attribute {name!r}")
