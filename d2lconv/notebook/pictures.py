"""Pictures in notebooks: the same bytes every time, and words for those who cannot see them."""

import io
from typing import Any

DPI = 80


def register(shell: Any) -> None:
    """Have a notebook show matplotlib's figures as pictures."""
    formatter = shell.display_formatter.formatters["image/png"]
    formatter.for_type_by_name("matplotlib.figure", "Figure", png)


def png(figure: Any) -> tuple[bytes, dict[str, str]]:
    """A figure as a PNG file, without the version of what drew it, and its words."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue(), {"alt": words(figure)}


def words(figure: Any) -> str:
    """What is written above, below and beside the panels of a figure.

    Example:
        >>> import d2lconv as dc
        >>> words(dc.figures.correlation(dc.edge_image(), [[1, -1]]))
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
