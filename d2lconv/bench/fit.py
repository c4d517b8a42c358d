"""The constants of :mod:`d2lconv.core.costs`, from a benchmark's rows."""

from itertools import combinations
from typing import Any

import numpy as np

from d2lconv.core import registry
from d2lconv.core.contract import FloatArray
from d2lconv.core.costs import BOUNDS, amounts, considered
from d2lconv.core.manifest import Cost


def fit(report: dict[str, Any], backend: str) -> list[Cost]:
    """What each method costs in a backend, so that the relative errors are smallest."""
    found = []
    for method in BOUNDS:
        rows = [
            (tuple(row["image"]), tuple(row["kernel"]), 1e6 * row["time"])
            for row in report["rows"]
            if (row["backend"], row["what"], row["method"]) == (backend, "forward", method)
            and considered(method, tuple(row["image"]), tuple(row["kernel"]))
        ]
        for up_to in _ends(backend, method):
            cost = Cost(method, 0.0, 0.0, 0.0, 0.0, up_to)
            here = [row for row in rows if cost.holds(*row[:2])]
            rows = [row for row in rows if row not in here]
            if here:
                A = np.array([amounts(method, image, kernel) for image, kernel, _ in here])
                fitted = constants(A, np.array([time for _, _, time in here]))
                fixed, step, output, work = (float(f"{c:.3g}") for c in fitted)
                found.append(Cost(method, fixed, step, output, work, up_to))
    return found


def _ends(backend: str, method: str) -> list[tuple[int, int] | None]:
    """Up to what a backend's costs of a method hold, by its manifest."""
    manifest = registry.manifests()[backend][0] if backend in registry.manifests() else None
    stated = [c.up_to for c in manifest.costs if c.method == method] if manifest else []
    return stated or [None]


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
