"""The picture of a benchmark: how time grows, a column of panels for each framework."""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from d2lconv.bench.points import IMAGES, KERNELS, Point
from d2lconv.figures.canvas import COLOURS, SMALL, ending, figure, save, svg
from d2lconv.files import replacing

BLUE, ORANGE, GREEN, PINK, *_, BLACK = COLOURS
STYLES = {
    "loop": ("the lesson's loop", BLACK, "^"),
    "own": ("the framework's own", ORANGE, "s"),
    "exact": ('"exact"', BLUE, "o"),
    "auto": ('"auto"', GREEN, "d"),
}


def draw(report: dict[str, Any], path: Path) -> None:
    """Write the picture.

    In SVG it has the page's background and ink, light or dark, and letters stay letters: their
    outlines would be most of the file.
    """
    picture = plot(report)
    if ending(path) != "svg":
        save(picture, path)
        return
    picture.set_facecolor("none")
    for ax in picture.axes:
        ax.set_facecolor("none")
    with matplotlib.rc_context({"svg.fonttype": "none"}), replacing(path) as file:
        file.write(svg(picture).encode())


def plot(report: dict[str, Any]) -> Figure:
    """Time against the image's side for a 3x3 kernel, and the kernel's for a 512x512 image."""
    names = list(report["backends"])
    fig = figure(2.4 * len(names) + 0.6, 5.4)
    panels = fig.subplots(2, len(names), sharey=True, squeeze=False)
    for column, name in enumerate(names):
        facts = report["backends"][name]
        rows = [r for r in report["rows"] if (r["backend"], r["what"]) == (name, "forward")]
        upper, lower = panels[:, column]
        upper.set_title(f"{facts['framework']} {facts['version']}", fontsize=SMALL + 1)
        _lines(upper, rows, IMAGES, "image", "image side,\nkernel 3x3")
        _lines(lower, rows, KERNELS, "kernel", "kernel side,\nimage 512x512")
    for ax in panels[:, 0]:
        ax.set_ylabel("milliseconds", fontsize=SMALL)
    lines, labels = panels[0, 0].get_legend_handles_labels()
    if lines:
        fig.legend(
            lines, labels, loc="outside lower center", ncols=len(lines), fontsize=SMALL,
            frameon=False,
        )  # fmt: skip
    return fig


def _lines(ax: Axes, rows: list[Any], points: tuple[Point, ...], side: str, label: str) -> None:
    """The medians of each method at those of the points that were measured."""
    sizes = {(point.image, point.kernel) for point in points}
    for method, (words, colour, marker) in STYLES.items():
        found = sorted(
            (row[side][0], 1e3 * row["time"])
            for row in rows
            if row["method"] == method and (tuple(row["image"]), tuple(row["kernel"])) in sizes
        )
        if found:
            ax.plot(
                *zip(*found, strict=True), label=words, color=colour, marker=marker, markersize=3.5,
                linewidth=1.2,
            )  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks([getattr(point, side)[0] for point in points][::-2])
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_major_locator(LogLocator(base=100))
    ax.minorticks_off()
    ax.tick_params(labelsize=SMALL - 2)
    ax.set_xlabel(label, fontsize=SMALL)
    ax.grid(axis="y", color="0.5", alpha=0.35, linewidth=0.6)
    ax.spines[["top", "right"]].set_visible(False)
