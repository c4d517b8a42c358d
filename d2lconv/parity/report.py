"""From results to verdicts: a cell for every case in every backend, and what they add up to."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from d2lconv.core import registry
from d2lconv.core.manifest import Deviation
from d2lconv.core.shown import Shown
from d2lconv.parity.cases import matches
from d2lconv.parity.cases.case import Arrays, Case, Comparisons
from d2lconv.parity.compare import HINT, compare
from d2lconv.parity.verdict import VERDICTS, Comparison
from d2lconv.parity.worker import digest
from d2lconv.parity.workers import Outcome

WORDS = {
    "identical": "same bits",
    "rounding": "rounding, within its bound",
    "known": "known deviation",
    "imprecise": "imprecise",
    "bug": "bug",
}
WRONG = ("imprecise", "bug")


@dataclass(frozen=True)
class Cell:
    """One case in one backend.

    Attributes:
        verdict: "identical", "rounding", "known" (a deviation that the backend states), "imprecise"
            or "bug".
        ulp: The largest distance from what is expected, None if there is no result.
        share: The largest share of the bound that a difference uses, None without a bound.
        reason: Why, in words.
        details: What a failed worker or an exception left behind.
        comparisons: The comparison of each result, by name.
    """

    verdict: str
    ulp: int | None = None
    share: float | None = None
    reason: str = ""
    details: str = ""
    comparisons: dict[str, Comparison] = field(default_factory=dict)

    @property
    def cause(self) -> str | None:
        """The mistake that explains the first result that one explains; None if none does."""
        return next((c.cause for c in self.comparisons.values() if c.cause), None)

    @property
    def error(self) -> float | None:
        """How far its results are from the true ones, in errors of the worst honest order."""
        return max(
            (c.errors["actual"] for c in self.comparisons.values() if "actual" in c.errors),
            default=None,
        )


@dataclass
class ParityReport(Shown):
    """What a parity run found; ``print`` it for the totals, ``plot()`` for every cell.

    Attributes:
        cases: The cases, in their order.
        backends: For each column (a backend, or a backend in a recording) its name and versions.
        cells: The cell of each case (by name) and column.
        outcomes: The results behind the cells.
    """

    cases: tuple[Case, ...]
    backends: dict[str, dict[str, str]]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there is a result in every cell, and none is a bug or imprecise."""
        return all(cell.verdict not in WRONG for cell in self.cells.values()) and bool(self.cells)

    @property
    def totals(self) -> dict[str, int]:
        """How many cells have which verdict."""
        found = [cell.verdict for cell in self.cells.values()]
        return {verdict: found.count(verdict) for verdict in WORDS}

    @property
    def bugs(self) -> Iterator[tuple[str, str, Cell]]:
        """The cells that are bugs or imprecise, each with its case and column."""
        for (case, column), cell in self.cells.items():
            if cell.verdict in WRONG:
                yield case, column, cell

    def __repr__(self) -> str:
        return f"<ParityReport: {self}>"

    def __str__(self) -> str:
        counted = [f"{n:,} {WORDS[verdict]}" for verdict, n in self.totals.items()]
        return (
            f"{len(self.cases)} case{'s' * (len(self.cases) != 1)} in "
            f"{', '.join(self.backends) or 'no backend'}: "
            f"{'; '.join(counted)}"
        )


@dataclass(frozen=True)
class Expectation:
    """What a case's results are held against: a digest of its inputs, and what they give."""

    digest: str
    expected: Arrays
    allowed: Arrays
    compared: Comparisons


class Judge:
    """Compares outcomes with what is expected, computing that once for each case."""

    def __init__(self) -> None:
        self._known: dict[str, Expectation] = {}

    def __call__(self, case: Case, backend: str, outcome: Outcome) -> Cell:
        """The cell for one case in one backend."""
        deviation = _deviation(case, backend)
        if outcome.results is None:
            if deviation is not None and deviation.raises and deviation.raises in outcome.error:
                return Cell("known", reason=deviation.reason)
            return Cell("bug", reason=outcome.error, details=outcome.details)
        known = self._expectation(case)
        if outcome.digest != known.digest:
            return Cell(
                "bug",
                reason="its inputs are not ours: NumPy's generator gives other numbers there, or "
                "the cases are of another version",
            )
        if set(outcome.results) != set(known.expected):
            names = [", ".join(sorted(each)) for each in (outcome.results, known.expected)]
            return Cell("bug", reason=f"the results are {names[0]}, not {names[1]}")
        claim = _exactly if case.exact else _bounded
        cell = _cell(
            {name: claim(known, name, value) for name, value in outcome.results.items()},
            bounded=not case.exact,
        )
        if deviation is None:
            return cell
        if cell.verdict not in WRONG:
            text = f"a known deviation is no longer true: {deviation.reason}"
            return Cell("bug", cell.ulp, cell.share, text, comparisons=cell.comparisons)
        if deviation.raises is not None:
            text = f"it gives other results, where an error is known: {deviation.reason}"
            return Cell("bug", cell.ulp, cell.share, text, comparisons=cell.comparisons)
        cell = _cell(
            {name: _bounded(known, name, value) for name, value in outcome.results.items()},
            bounded=True,
        )
        if cell.verdict in WRONG:
            return cell
        return Cell("known", cell.ulp, cell.share, deviation.reason, comparisons=cell.comparisons)

    def _expectation(self, case: Case) -> Expectation:
        if case.name not in self._known:
            inputs = case.inputs()
            allowed = {} if case.allowed is None else case.allowed(**inputs)
            compared = {} if case.compared is None else case.compared(**inputs)
            expected = case.reference(inputs)
            self._known[case.name] = Expectation(digest(inputs), expected, allowed, compared)
        return self._known[case.name]


def _bounded(known: Expectation, name: str, value: Any) -> Comparison:
    """By the bound alone if there is one; else as what the result is of."""
    expected, compared = known.expected[name], known.compared.get(name)
    if name not in known.allowed and compared is not None:
        return compared(value, expected)
    found = compare(value, expected, bound=known.allowed[name])
    return _why(found, compared, value, expected)


def _exactly(known: Expectation, name: str, value: Any) -> Comparison:
    """By the bits; where they differ, it is asked what the result is."""
    expected = known.expected[name]
    found = compare(value, expected)
    found = replace(found, reason=found.reason.removesuffix(HINT))  # what is exact has no bound
    return _why(found, known.compared.get(name), value, expected)


def _why(found: Comparison, compared: Any, value: Any, expected: Any) -> Comparison:
    """A bug with its cause, or with the word that it would be rounding."""
    if found.verdict != "bug" or compared is None:
        return found
    asked: Comparison = compared(value, expected)
    if asked.verdict in WRONG:
        return replace(asked, verdict="bug")
    return replace(found, reason=f"{found.reason}; other than that, it is rounding")


def _cell(comparisons: dict[str, Comparison], bounded: bool) -> Cell:
    """The cell for the comparisons of all results: the worst decides."""
    name, worst = max(
        comparisons.items(), key=lambda item: (VERDICTS.index(item[1].verdict), item[1].share)
    )
    ulps = [comparison.ulp for comparison in comparisons.values()]
    return Cell(
        worst.verdict,
        ulp=None if None in ulps else max(ulp for ulp in ulps if ulp is not None),
        share=worst.share if bounded else None,
        reason=worst.reason if len(comparisons) == 1 else f"{name}: {worst.reason}",
        comparisons=comparisons,
    )


def _deviation(case: Case, backend: str) -> Deviation | None:
    """The deviation that a backend states for a case, if it states one."""
    manifests = registry.manifests()
    stated = manifests[backend][0].deviations if backend in manifests else ()
    return next((found for found in stated if matches(case.name, found.cases)), None)


def document(report: ParityReport) -> dict[str, Any]:
    """The report as plain data, for JSON."""
    return {
        "format": 1,
        "ok": report.ok,
        "totals": report.totals,
        "backends": report.backends,
        "cases": [
            {
                "name": case.name,
                "claim": "same bits" if case.exact else "within the bound",
                "cells": {
                    column: _plain(report.cells[case.name, column])
                    for column in report.backends
                    if (case.name, column) in report.cells
                },
            }
            for case in report.cases
        ],
    }


def _plain(cell: Cell) -> dict[str, Any]:
    return {
        "verdict": cell.verdict,
        "ulp": cell.ulp,
        "share": None if cell.share is None or not np.isfinite(cell.share) else cell.share,
        "reason": cell.reason,
        "details": cell.details,
        "results": {
            name: {
                "verdict": c.verdict,
                "ulp": c.ulp,
                "worst": c.worst,
                "reason": c.reason,
                "causes": list(c.causes),
                "error": c.errors.get("actual"),
            }
            for name, c in cell.comparisons.items()
        },
    }
