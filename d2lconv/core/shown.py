"""Results that show themselves: a short line in Python, a picture in a notebook."""

from base64 import b64encode
from html import escape
from importlib import import_module
from typing import Any

from d2lconv.errors import ArgumentError, ExtraNotInstalled


class Shown:
    """What the results of d2lconv have in common."""

    def plot(self) -> Any:
        """Draw the picture that fits.

        Returns:
            A ``matplotlib.figure.Figure``.

        Raises:
            ExtraNotInstalled: matplotlib is not there.
            ArgumentError: There is nothing to draw.
        """
        # By name: the pictures know the results, so the results cannot import the pictures.
        return import_module("d2lconv.figures.results").draw(self)

    def _repr_html_(self) -> str | None:
        """The line and the picture; without matplotlib, or with nothing to draw, the line alone."""
        try:
            figure = self.plot()
        except (ExtraNotInstalled, ArgumentError):
            return None
        data, about = figure._repr_mimebundle_()
        source = f"data:image/svg+xml;base64,{b64encode(data['image/svg+xml'].encode()).decode()}"
        words = escape(about["image/svg+xml"]["alt"])
        return f'<p><code>{escape(repr(self))}</code></p><img alt="{words}" src="{source}">'
