"""Pictures of the lesson, with matplotlib (the extra "plots").

Every function gives a ``matplotlib.figure.Figure``, without pyplot and without touching anybody's
settings; where it draws one picture, it takes the ``Axes`` to draw it on. Colours can be told apart
by the colour-blind and in print, numbers are readable on every colour, and :func:`save` writes the
same bytes every time.
"""

from d2lconv.extras import needed

with needed("plots"):
    import matplotlib.figure  # noqa: F401 - it is asked for once, here, for all of the modules

from d2lconv.figures.bank import filter_bank
from d2lconv.figures.canvas import save
from d2lconv.figures.fields import receptive_field
from d2lconv.figures.heat import correlation, heat_map, toeplitz, windows
from d2lconv.figures.learning import error_surface, losses
from d2lconv.figures.networks import feature_maps, lenet
from d2lconv.figures.training import training

__all__ = [
    "correlation",
    "error_surface",
    "feature_maps",
    "filter_bank",
    "heat_map",
    "lenet",
    "losses",
    "receptive_field",
    "save",
    "toeplitz",
    "training",
    "windows",
]


def __dir__() -> list[str]:
    """What is for users, for completion."""
    return list(__all__)
