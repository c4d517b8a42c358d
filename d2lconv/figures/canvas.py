"""What all pictures share: figures, colours, and files."""

from os import PathLike
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from d2lconv.errors import ArgumentError
from d2lconv.files import replacing

# Okabe and Ito's colours, which people with every kind of colour vision tell apart
# (https://jfly.uni-koeln.de/color/), without the yellow, which is too light on white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
BLUE, ORANGE, *_ = COLOURS
SMALL: Final = 9.0
LARGE: Final = 11.0
# How files are written: as what, and without the time.
UNDATED: Final[dict[str, dict[str, Any]]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, which lays itself out."""
    return Figure(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")


def place(ax: Any, width: float, height: float) -> tuple[Figure, Axes]:
    """The axes to draw on and their figure; new ones of that size in inches if there are none."""
    if ax is None:
        fig = figure(width, height)
        return fig, fig.add_subplot()
    if not isinstance(ax, Axes):
        raise ArgumentError(
            f"ax is a {type(ax).__name__}; it must be matplotlib Axes, or None for a new figure."
        )
    return ax.figure.figure, ax


def luminance(colour: Any) -> float:
    """The relative luminance of a colour, as the Web Content Accessibility Guidelines define it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink(colour: Any) -> str:
    """Black or white, whichever is easier to read on the colour.

    The contrast of two colours is (L1 + 0.05) / (L2 + 0.05). Black and white are equally far where
    L + 0.05 is the root of 0.05 * 1.05; so one of them always has a contrast above 4.58, and the
    guidelines ask for 4.5.
    """
    return "black" if luminance(colour) + 0.05 > (0.05 * 1.05) ** 0.5 else "white"


def save(figure: Figure, path: str | PathLike[str], *, dpi: float = 150) -> None:
    """Write a figure to a file, with the same bytes every time.

    matplotlib writes the time into SVG and PDF files, and random names into SVG files. This leaves
    out the one and fixes the other, for the length of the call.

    Args:
        figure: The figure.
        path: Where to; the ending says how: .png, .svg or .pdf.
        dpi: The resolution of what is made of pixels.

    Raises:
        ArgumentError: The ending is none of these, or figure is no figure.
        FileError: The file cannot be written.

    Example:
        >>> import io
        >>> import d2lconv as dc
        >>> dc.figures.save(dc.figures.heat_map([[0, 1]]), "edge.txt")
        Traceback (most recent call last):
        d2lconv.errors.ArgumentError: unknown ending 'txt'. Allowed: png, svg, pdf.
    """
    if not isinstance(figure, Figure):
        raise ArgumentError(f"figure is a {type(figure).__name__}; it must be a matplotlib Figure.")
    kind = ending(path)
    with matplotlib.rc_context({"svg.hashsalt": "d2lconv"}), replacing(path) as file:
        figure.savefig(file, format=kind, dpi=dpi, metadata=UNDATED[kind])


def ending(path: str | PathLike[str]) -> str:
    """The ending of a picture's file name, if pictures can be written so."""
    found = str(path).rpartition(".")[2].lower()
    if found not in UNDATED:
        raise ArgumentError(f"unknown ending {found!r}. Allowed: {', '.join(UNDATED)}.")
    return found
