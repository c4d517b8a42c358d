"""The true value, rounded once: the part of ``method="rounded"`` that is no framework's business.

A float64 result that its certificate cannot decide is settled from the exact operands:

    values, undecided = certify(Y, norms_x, norms_k, n, "float32")
    values[undecided] = settle(windows, kernels, "float32").values   # gathered for those alone
"""

from d2lconv.rounding.certificate import bound, certify, error_factor, surely, zeros_are_positive
from d2lconv.rounding.counts import Counts, Settled
from d2lconv.rounding.round import round_pair
from d2lconv.rounding.settle import settle, settle_sum

__all__ = [
    "Counts",
    "Settled",
    "bound",
    "certify",
    "error_factor",
    "round_pair",
    "settle",
    "settle_sum",
    "surely",
    "zeros_are_positive",
]


def __dir__() -> list[str]:
    """What is for users, for completion."""
    return list(__all__)
