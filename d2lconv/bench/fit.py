"""The constants of :mod:`d2lconv.costs`, from a benchmark's rows."""

from itertools import combinations
from typing import Any

import numpy as np

from d2lconv.contract import FloatArray
from d2lconv.costs import BOUNDS, amounts, considered
from d2lconv.manifest import Cost


def fit(report: dict[str, Any], backend: str) -> list[Cost]:
    """What each method costs in a backend, so that the relative errors are smallest."""
    found = []
    for method in BOUNDS:
        rows = [
            row
            for row in report["rows"]
            if (row["backend"], row["what"], row["method"]) == (backend, "forward", method)
            and considered(method, tuple(row["image"]), tuple(row["kernel"]))
        ]
        if rows:
            A = np.array([amounts(method, tuple(r["image"]), tuple(r["kernel"])) for r in rows])
            times = np.array([1e6 * row["time"] for row in rows])
            found.append(Cost(method, *(float(f"{c:.3g}") for c in constants(A, times))))
    return found


def constants(A: FloatArray, times: FloatArray) -> FloatArray:
    """The constants c, none negative, for which the squares of A @ c / times - 1 are smallest.

    With so few constants, every choice of those that are not zero can be tried.

    Example:
        >>> constants(np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 3.0]]), np.array([3.0, 7.0])).round(6)
        array([1., 0., 2.])
    """
    A = A / times[:, None]
    best, least = np.zeros(A.shape[1]), np.inf
    for count in range(1, A.shape[1] + 1):
        for used in map(list, combinations(range(A.shape[1]), count)):
            c = np.zeros(A.shape[1])
            c[used] = np.linalg.lstsq(A[:, used], np.ones(len(A)), rcond=None)[0]
            error = float(np.sum((A @ c - 1) ** 2))
            if (c >= 0).all() and error < least:
                best, least = c, error
    return best
