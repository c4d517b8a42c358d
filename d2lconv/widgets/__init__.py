"""Things to play with: the window, padding, channels, pooling, edges, learning, LeNet, and so on.

Each is one ES module without dependencies, which draws itself into a page (:func:`html`,
:func:`page`) or into a notebook (the classes, which need the extra "widgets"). They compute in
float32, in the order of the library's contract, so that what they show has the library's bits.

The last one, for pages only, is a place to answer an exercise. A page has no Python, so the
checkers of :mod:`d2lconv.exercise` are there a second time, in JavaScript, for answers that are
data. They say what :func:`d2lconv.check` says, word for word.
"""

from typing import TYPE_CHECKING, Any

from d2lconv.widgets.pages import html, module, page, style

if TYPE_CHECKING:
    from d2lconv.widgets.notebook import (
        Channels,
        EdgeDetector,
        LearningLoop,
        LeNet,
        PaddingAndStrides,
        Pooling,
        ReceptiveFields,
        SlidingWindow,
    )

__all__ = [
    "Channels",
    "EdgeDetector",
    "LeNet",
    "LearningLoop",
    "PaddingAndStrides",
    "Pooling",
    "ReceptiveFields",
    "SlidingWindow",
    "html",
    "module",
    "page",
    "style",
]


def __getattr__(name: str) -> Any:
    """The classes for notebooks, only when asked for: anywidget may not be there."""
    if name in __all__:
        from d2lconv.widgets import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'd2lconv.widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is for users, for completion."""
    return list(__all__)
