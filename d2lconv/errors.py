"""What can go wrong, as exceptions under one root.

Every message says what came in, what is allowed, and what to do.
"""

from typing import Any


class D2LConvError(Exception):
    """The root of every error that d2lconv raises on purpose."""

    ag_pass_through = True  # tells a compiler of Python code to hand it on as it is


class UnknownBackend(D2LConvError, LookupError):
    """No installed distribution offers a backend of that name."""


class BackendNotInstalled(D2LConvError, ImportError):
    """The backend is known, the framework behind it is not installed."""


class BackendBroken(D2LConvError, ImportError):
    """The framework is installed, but importing it fails; the reason is the ``__cause__``."""


class ExtraNotInstalled(D2LConvError, ImportError):
    """A function needs a library that is installed on request; the message has the command."""


class MixedBackendsError(D2LConvError, TypeError):
    """One call got tensors of two frameworks."""


class ShapeError(D2LConvError, ValueError):
    """An array has a shape that the operation is not defined for."""


class DTypeError(D2LConvError, TypeError):
    """Data is of a type that is not one of float16, float32, float64, integer or boolean."""


class FileError(D2LConvError, OSError):
    """A file could not be written; what was there before is unchanged."""


class ArgumentError(D2LConvError, ValueError):
    """An option has a value that makes no sense: a method, a learning rate, a number of epochs."""


class Diverged(D2LConvError, ArithmeticError):
    """Learning leads away from the solution: its loss is infinite or NaN, or rises without end.

    An error and not a warning, because there is no result: a kernel of 1e31 in a table or a picture
    looks like one.

    Attributes:
        lr: The learning rate.
        largest: The largest safe one for this problem, None where nobody knows.
        losses: The losses up to the one that told.
        history: Of a network's training, the epochs before; None for a kernel's.
    """

    def __init__(
        self,
        message: str,
        lr: float = float("nan"),
        largest: float | None = None,
        losses: tuple[float, ...] = (),
        history: Any = None,
    ) -> None:
        super().__init__(message)
        self.lr = lr
        self.largest = largest
        self.losses = losses
        self.history = history
