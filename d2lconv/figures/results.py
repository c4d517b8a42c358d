"""The picture that fits a result: what its ``plot()`` draws, and what a notebook shows."""

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from d2lconv.core.costs import Explanation
from d2lconv.core.data import detached
from d2lconv.core.learned import LearnedKernel
from d2lconv.errors import ArgumentError
from d2lconv.figures import fields, heat, learning
from d2lconv.figures.canvas import BLUE, LARGE, ORANGE, SMALL, figure, place
from d2lconv.figures.training import training
from d2lconv.parity.pair import LayersReport
from d2lconv.parity.report import ParityReport
from d2lconv.parity.tracing import Trace
from d2lconv.parity.verdict import Comparison
from d2lconv.receptive import ReceptiveField
from d2lconv.training.history import History

VERDICT: Final = {
    "identical": "#009E73",
    "rounding": "#56B4E9",
    "imprecise": "#CC79A7",
    "known": "#E69F00",
    "bug": "#D55E00",
}


@singledispatch
def draw(result: Any) -> Figure:
    """The picture of a result."""
    raise ArgumentError(f"a {type(result).__name__} has no picture.")


@draw.register
def _(run: LearnedKernel) -> Figure:
    """The losses, and the kernel before and after."""
    start, end = detached(run.initial), detached(run.kernel)
    fig = figure(9, 3.6)
    panels = fig.add_gridspec(2, 2, width_ratios=[1.6, 1])
    learning.losses([run], ax=fig.add_subplot(panels[:, 0]))
    heat.heat_map(start, title="start", ax=fig.add_subplot(panels[0, 1]))
    heat.heat_map(end, title="learned", ax=fig.add_subplot(panels[1, 1]))
    return fig


@draw.register
def _(history: History) -> Figure:
    return training(history)


@draw.register
def _(field: ReceptiveField) -> Figure:
    return fields.draw(field)


@draw.register
def _(explanation: Explanation) -> Figure:
    """How long each method should take, the chosen one in orange."""
    if not explanation.estimates:
        raise ArgumentError("there are no expected times to draw; print the explanation instead.")
    names = list(explanation.estimates)
    fig, ax = place(None, 6, 0.5 * len(names) + 1.2)
    colours = [ORANGE if name == explanation.method else BLUE for name in names]
    bars = ax.barh(names, list(explanation.estimates.values()), color=colours)
    ax.bar_label(bars, fmt="{:,.0f}", padding=4, fontsize=SMALL)
    ax.margins(x=0.15)
    ax.invert_yaxis()
    ax.set_xlabel("expected time, microseconds", fontsize=SMALL)
    ax.set_title(f"{explanation.method} in {explanation.backend}", fontsize=LARGE)
    ax.tick_params(labelsize=SMALL)
    return fig


@draw.register
def _(found: Comparison) -> Figure:
    """The share of the bound that each difference uses, in the plane of the worst element."""
    if found.shares is None or found.worst is None:
        raise ArgumentError("there are no differences to draw; print the comparison instead.")
    shares = np.asarray(found.shares)
    plane = np.atleast_2d(shares[found.worst[:-2]])
    h, w = plane.shape
    largest = float(plane[np.isfinite(plane)].max(initial=0))
    scale = min(0.5, 6 / max(h, w))
    fig, ax = place(None, max(5, w * scale + 2), max(1.6, h * scale + 1))
    if largest:
        used = np.where(plane > 0, np.minimum(plane, largest), np.nan)
        norm = LogNorm(min(1e-3, largest), max(1.0, largest))
        image = ax.imshow(used, cmap="cividis", norm=norm, interpolation="none")
        bar = fig.colorbar(image, ax=ax)
        bar.set_label("share of the bound", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)
    else:  # nothing may differ
        ax.imshow(np.where(plane > 0, 1, np.nan), cmap=ListedColormap([BLUE]), interpolation="none")
    row, column = (0, 0, *found.worst)[-2:]
    corner = (column - 0.5, row - 0.5)
    ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=ORANGE, linewidth=3, clip_on=False))
    ax.set_xticks([])
    ax.set_yticks([])
    at = f", at {found.worst[:-2]}" if found.worst[:-2] else ""
    ax.set_title(f"{found.verdict}{at}: the worst is {found.worst}", fontsize=LARGE)
    return fig


@draw.register
def _(report: LayersReport) -> Figure:
    return draw(report.outputs)


@draw.register
def _(walk: Trace) -> Figure:
    """The verdict on every tensor, in the order of the walk."""
    verdicts = {(one.name, "verdict"): one.comparison.verdict for one in walk.steps}
    return _verdicts([one.name for one in walk.steps], ["verdict"], verdicts)


@draw.register
def _(report: ParityReport) -> Figure:
    """The verdict on every case in every backend."""
    if not report.cells:
        raise ArgumentError("there are no cases to draw.")
    verdicts = {place: cell.verdict for place, cell in report.cells.items()}
    return _verdicts([case.name for case in report.cases], list(report.backends), verdicts)


def _verdicts(
    rows: Sequence[str], columns: Sequence[str], verdicts: Mapping[tuple[str, str], str]
) -> Figure:
    """A cell for each verdict, and what the colours mean."""
    fig, ax = place(None, 4 + 0.9 * len(columns), 1.6 + 0.28 * len(rows))
    for (row, column), verdict in verdicts.items():
        corner = (columns.index(column), rows.index(row))
        ax.add_patch(Rectangle(corner, 1, 1, facecolor=VERDICT[verdict], edgecolor="white"))
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(rows), 0)
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, fontsize=SMALL)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=SMALL)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    counted = {verdict: list(verdicts.values()).count(verdict) for verdict in VERDICT}
    seen = [Patch(color=VERDICT[v], label=f"{n} {v}") for v, n in counted.items() if n]
    fig.legend(handles=seen, loc="outside lower center", fontsize=SMALL)
    return fig
