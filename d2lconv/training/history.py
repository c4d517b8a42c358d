"""What training came to, epoch by epoch: to be read, drawn, saved and loaded."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from d2lconv.core.shown import Shown
from d2lconv.errors import ArgumentError
from d2lconv.files import replacing, writable

SCHEMA = 1


@dataclass(frozen=True)
class Epoch:
    """One epoch.

    Attributes:
        epoch: Its number, from 1.
        loss: The mean loss of all its images, each before the update by its minibatch.
        accuracy: The share of its images that were told rightly, before the update likewise.
        validation: The share of the held-out images that are told rightly after it; None without.
        seconds: How long training took, without what is held out.
        sha256: The hash of all parameters after it, in the order and layout of :func:`d2lconv.save`
            and little-endian: the same if and only if all bits are.
    """

    epoch: int
    loss: float
    accuracy: float
    validation: float | None
    seconds: float
    sha256: str

    def __str__(self) -> str:
        held_out = "" if self.validation is None else f", held out {self.validation:.3f}"
        return f"epoch {self.epoch}, loss {self.loss:.3f}, accuracy {self.accuracy:.3f}{held_out}"


@dataclass(frozen=True)
class History(Shown):
    """What :func:`d2lconv.train` gives. Printed, it is a table.

    Attributes:
        backend: The name of the backend that trained.
        framework: The framework's name.
        version: The framework's version.
        options: The options of the network and of training, by name.
        start: The hash of the parameters before the first epoch.
        epochs: The epochs that were done.
        ended: Why training ended before its last epoch; empty if it did not.
    """

    backend: str
    framework: str
    version: str
    options: Mapping[str, Any]
    start: str
    epochs: tuple[Epoch, ...]
    ended: str = ""

    @property
    def losses(self) -> tuple[float, ...]:
        """The loss of each epoch."""
        return tuple(one.loss for one in self.epochs)

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The accuracy of each epoch on what is learned from."""
        return tuple(one.accuracy for one in self.epochs)

    @property
    def validation(self) -> tuple[float | None, ...]:
        """The accuracy after each epoch on what is held out."""
        return tuple(one.validation for one in self.epochs)

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hash of all parameters after each epoch."""
        return tuple(one.sha256 for one in self.epochs)

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self._rows(), strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in self._rows()
        ]
        return "\n".join([self._title(), *lines, *filter(None, [self.ended])])

    def _repr_html_(self) -> str:
        head, *rows = [[escape(cell) for cell in row] for row in self._rows()]
        lines = [f"<tr>{''.join(f'<th>{cell}</th>' for cell in head)}</tr>"]
        lines += [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows]
        ended = f"<p>{escape(self.ended)}</p>" if self.ended else ""
        caption = f"<caption>{escape(self._title())}</caption>"
        return f"<table>{caption}{''.join(lines)}</table>{ended}"

    def save(self, path: str | PathLike[str]) -> None:
        """Write the history as JSON.

        Raises:
            ArgumentError: There can be no such file.
            FileError: The file cannot be written.
        """
        text = json.dumps({"schema": SCHEMA, **self.document()}, indent=1, allow_nan=False)
        with replacing(writable(path)) as file:
            file.write(f"{text}\n".encode())

    def document(self) -> dict[str, Any]:
        """The history as what JSON knows."""
        return {**asdict(self), "options": dict(self.options)}

    @staticmethod
    def load(path: str | PathLike[str]) -> "History":
        """Read a history that :meth:`save` wrote.

        Raises:
            ArgumentError: The file is not there, or holds something else.
        """
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            if found.pop("schema") != SCHEMA:
                raise ValueError("another schema")
            return History.of(found)
        except FileNotFoundError:
            raise ArgumentError(
                f"{str(path)!r} is not there; path must be a file that History.save wrote."
            ) from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArgumentError(
                f"{str(path)!r} is no history ({type(error).__name__}: {error}); path must be a "
                "file that History.save wrote."
            ) from error

    @staticmethod
    def of(document: Mapping[str, Any]) -> "History":
        """The history of which :meth:`document` is."""
        given = dict(document)
        given["epochs"] = tuple(Epoch(**one) for one in given["epochs"])
        found = History(**given)
        numbers = [n for e in found.epochs for n in (e.loss, e.accuracy, e.seconds)]
        if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
            raise ValueError("an epoch has what is no finite number")
        return found

    def _title(self) -> str:
        return f"{self.framework} {self.version}: {readable(self.options)}"

    def _rows(self) -> list[list[str]]:
        """The table, its head first."""
        held_out = any(one.validation is not None for one in self.epochs)
        head = ["epoch", "loss", "accuracy", "held out", "seconds", "parameters"]
        rows = [
            [
                str(one.epoch),
                f"{one.loss:.4f}",
                f"{one.accuracy:.1%}",
                "" if one.validation is None else f"{one.validation:.1%}",
                f"{one.seconds:.1f}",
                one.sha256[:12],
            ]
            for one in self.epochs
        ]
        return [row if held_out else [*row[:3], *row[4:]] for row in [head, *rows]]


def readable(options: Mapping[str, Any]) -> str:
    """Options of a network and of training, in a line.

    Example:
        >>> readable({"method": "rounded", "layer": "d2lconv"})
        'method rounded, layer d2lconv'
        >>> readable({"method": "rounded", "layer": "builtin"})  # whose methods are its own
        'layer builtin'
    """
    without = "method" if options.get("layer") == "builtin" else ""
    return ", ".join(f"{name} {value}" for name, value in options.items() if name != without)
