"""Is a difference rounding, or a bug? Measuring, bounds with proofs, and the parity run.

- :func:`compare` compares two results and answers in one word.
- :func:`layers` compares two layers of two frameworks; :func:`port` makes one of the other.
- :func:`compare_pool` does the same for pooling.
- :func:`probes` has inputs that betray mistakes; :func:`adjoint` tests gradients without reference.
- :mod:`~d2lconv.parity.bounds` has the a-priori bounds, each with its derivation.
- :func:`run` runs the parity cases in every framework.
- :func:`conventions` asks each framework what it does if nobody says otherwise.
- :func:`trace` walks two networks layer by layer, and names the first tensor that is not rounding.
"""

from typing import Any

from d2lconv.parity import bounds
from d2lconv.parity.compare import Comparison, compare
from d2lconv.parity.describe import Description, describe, port
from d2lconv.parity.pair import LayersReport, layers
from d2lconv.parity.pooling import compare_pool
from d2lconv.parity.probes import Probe, adjoint, probes
from d2lconv.parity.ulp import same_bits, ulp_distance

__all__ = [
    "Comparison",
    "Description",
    "LayersReport",
    "Probe",
    "adjoint",
    "bounds",
    "compare",
    "compare_pool",
    "conventions",
    "describe",
    "layers",
    "port",
    "probes",
    "run",
    "same_bits",
    "trace",
    "ulp_distance",
]


def __getattr__(name: str) -> Any:
    """What brings more along than a comparison needs, when it is asked for."""
    if name == "run":
        from d2lconv.parity.runner import run

        return run
    if name == "conventions":
        from d2lconv.parity.defaults import conventions

        return conventions
    if name == "trace":
        from d2lconv.parity.tracing import trace

        return trace
    raise AttributeError(f"module 'd2lconv.parity' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is for users, for completion."""
    return list(__all__)
