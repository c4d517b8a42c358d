"""What all pictures share: figures, colours, files, and how notebooks and pages show them."""

import re
from base64 import b64encode
from io import BytesIO
from os import PathLike
from typing import Any, Final

import matplotlib.figure
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from d2lconv.errors import ArgumentError
from d2lconv.files import replacing

# Okabe and Ito's colours, which people with every kind of colour vision tell apart
# (https://jfly.uni-koeln.de/color/), without the yellow, which is too light on white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
BLUE, ORANGE, *_ = COLOURS
SMALL: Final = 13.5
LARGE: Final = 14.5
# On colours, which are the same by day and by night. Plain black and white are the page's ink and
# paper, and change places in the dark.
BLACK: Final = "#010101"
WHITE: Final = "#fefefe"
# 0 is black in every picture, as it is in an image: grey ones go up to white, and signed ones up to
# a light orange and down to a light blue.
SIGNED: Final = LinearSegmentedColormap.from_list(
    "d2lconv signed", ["#CFE8FF", "#2F8FE0", "#000000", "#E07A1F", "#FFE3C2"]
)
PIXELS: Final = 80  # of an inch as a notebook shows it; a PNG has twice as many, for fine screens
NIGHT: Final = """<style>
svg { --ink: #000; --paper: #fff; fill: var(--ink); }
@media (prefers-color-scheme: dark) { svg { --ink: #e6eaf0; --paper: #0f1319; } }
</style>"""
# How files are written: as what, and without the time.
UNDATED: Final[dict[str, dict[str, Any]]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


class Figure(matplotlib.figure.Figure):
    """A figure that every notebook shows, as SVG where it can, and else as PNG."""

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return bundle(self)


def figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, which lays itself out."""
    return Figure(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")


def place(ax: Any, width: float, height: float) -> tuple[matplotlib.figure.Figure, Axes]:
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
    L + 0.05 is the root of 0.05 * 1.05; so one of them always has a contrast above 4.54, and the
    guidelines ask for 4.5.
    """
    return BLACK if luminance(colour) + 0.05 > (0.05 * 1.05) ** 0.5 else WHITE


def bundle(figure: matplotlib.figure.Figure) -> tuple[dict[str, str], dict[str, Any]]:
    """A figure as a notebook keeps it, with words for those who cannot see it, and its size.

    That of the SVG is in its own letters, so that they can be made as large as those around it.
    """
    words = spoken(figure)
    width, height = _size(figure)
    return (
        {"image/svg+xml": svg(figure), "image/png": b64encode(png(figure)).decode()},
        {
            "image/svg+xml": {"alt": words, "width": f"{figure.get_figwidth() * 72 / SMALL:.2f}em"},
            "image/png": {"alt": words, "width": width, "height": height},
        },
    )


def png(figure: matplotlib.figure.Figure) -> bytes:
    """A figure as a PNG file, the same bytes every time, without the version of what drew it."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=2 * PIXELS, metadata={"Software": None})
    return file.getvalue()


def svg(figure: matplotlib.figure.Figure) -> str:
    """A figure as an SVG element, the same every time, light by day and dark by night."""
    file = BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": "d2lconv"}):
        figure.savefig(file, format="svg", metadata=nothing)
    text = file.getvalue().decode()
    text = text[text.index("<svg") :].replace("#000000", "var(--ink, #000000)")
    head, _, rest = text.replace("#ffffff", "var(--paper, #ffffff)").partition(">")
    width, height = _size(figure)
    head = re.sub(r'width="[^"]*"', f'width="{width}"', head)
    head = re.sub(r'height="[^"]*"', f'height="{height}"', head)
    return f"{head}>{NIGHT}{rest}"


def spoken(figure: matplotlib.figure.Figure) -> str:
    """What is written above, below and beside the panels of a figure.

    Example:
        >>> import d2lconv as dc
        >>> spoken(dc.figures.correlation(dc.edge_image(), [[1, -1]]))
        'X, 6x8; K, 1x2; Y, 6x7'
    """
    said = []
    for ax in figure.axes:
        parts = [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()]
        text = ": ".join(part.replace("\n", " ") for part in parts if len(part) > 1)
        legend = ax.get_legend()
        if legend is not None:
            text += f" ({', '.join(entry.get_text() for entry in legend.get_texts())})"
        if text:
            said.append(text)
    return "; ".join(said)


def save(figure: matplotlib.figure.Figure, path: str | PathLike[str], *, dpi: float = 150) -> None:
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
    if not isinstance(figure, matplotlib.figure.Figure):
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


def _size(figure: matplotlib.figure.Figure) -> tuple[int, int]:
    """Width and height in the pixels of a notebook."""
    return round(figure.get_figwidth() * PIXELS), round(figure.get_figheight() * PIXELS)
