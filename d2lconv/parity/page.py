"""The report as one page of HTML that needs nothing else."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from markupsafe import Markup

from d2lconv.extras import needed
from d2lconv.parity.report import WORDS, WRONG, Cell, ParityReport

with needed("cli"):
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

GRID = 24  # squares along one side of a heat map, at most
LEVELS = 6


def page(report: ParityReport) -> str:
    """The page: totals, versions, the matrix, bugs, and where the error of each case sits."""
    environment = Environment(
        loader=PackageLoader("d2lconv.parity", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        report=report,
        words=WORDS,
        short=short,
        why=why,
        maps={case.name: list(_maps(report, case.name)) for case in report.cases},
        known=sorted(
            {
                (column, cell.reason)
                for (_, column), cell in report.cells.items()
                if cell.verdict == "known"
            }
        ),
    )


def short(cell: Cell) -> str:
    """A cell in a few words."""
    if cell.verdict == "identical":
        return "same bits"
    if cell.verdict == "known":
        return "known"
    if cell.verdict in WRONG and cell.cause is not None:
        return f"{cell.verdict}: {cell.cause}"
    if cell.ulp is None:
        return cell.verdict
    ulp = "NaN" if cell.ulp == 2**64 - 1 else f"{cell.ulp:,} ulp"
    share = "" if cell.share is None else f", {cell.share:.1%}"
    return f"{f'{cell.verdict}: ' * (cell.verdict in WRONG)}{ulp}{share}"


def why(cell: Cell) -> str:
    """Why, and how its error compares with honest ones."""
    if cell.error is None:
        return cell.reason
    return f"{cell.reason}; its error is {cell.error:.2g} times that of the worst honest order"


def _maps(report: ParityReport, case: str) -> Iterator[dict[str, Any]]:
    """A heat map for each result in each column whose error has a bound and is not zero."""
    found = []
    for column in report.backends:
        cell = report.cells.get((case, column))
        if cell is not None and cell.share is not None:
            for name, comparison in cell.comparisons.items():
                shares = comparison.shares
                if shares is not None and np.isfinite(shares).all() and shares.max() > 0:
                    found.append((column, name, shares))
    for column, name, shares in found:
        yield {
            "column": column,
            "name": name,
            "shape": "x".join(map(str, shares.shape)),
            "share": f"{shares.max():.2%}",
            "where": ", ".join(map(str, np.unravel_index(shares.argmax(), shares.shape))),
            "svg": heat_map(shares),
        }


def heat_map(shares: Any) -> Markup:
    """Squares, darker where a larger share of the bound is used, the darkest one being the largest.

    Of images and channels it is the largest share in each place.

    Example:
        >>> print(heat_map(np.array([[0, 0.5], [0, 0]])))
        <svg viewBox="0 0 2 2" aria-hidden="true"><path class="l6" d="M1 0h1v1h-1z"/></svg>
    """
    plane = shares.max(axis=tuple(range(shares.ndim - 2))) if shares.ndim > 2 else shares
    pooled = _pooled(np.atleast_2d(plane))
    height, width = pooled.shape
    level = np.ceil(LEVELS * pooled / pooled.max()).astype(int)
    paths = []
    for number in range(1, LEVELS + 1):
        squares = "".join(f"M{x} {y}h1v1h-1z" for y, x in np.argwhere(level == number))
        if squares:
            paths.append(f'<path class="l{number}" d="{squares}"/>')
    return Markup(f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(paths)}</svg>')


def _pooled(shares: Any) -> Any:
    """The largest share in each square of a grid that is not finer than GRID."""
    for axis in (0, 1):
        size = shares.shape[axis]
        if size > GRID:
            starts = np.linspace(0, size, GRID, endpoint=False).astype(int)
            shares = np.maximum.reduceat(shares, starts, axis=axis)
    return shares
