"""Parameters in a file, for any framework: NumPy's .npz, without pickle."""

import json
import zipfile
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from d2lconv.core.lenet import Network, Values, lenet
from d2lconv.errors import ArgumentError, D2LConvError, DTypeError
from d2lconv.files import replacing, writable

ABOUT = "d2lconv"  # the entry that says what network it is, as JSON
SCHEMA = 1
LIMIT = 2**20  # bytes of one entry; the largest has 192,128 and its header


def save(made: Network, values: Values, path: str | PathLike[str]) -> None:
    """Write the parameters of a network."""
    check(values)
    about = {"schema": SCHEMA, "network": "LeNet", "options": dict(made.options)}
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with replacing(writable(path)) as file:
        np.savez(file, **{ABOUT: text}, **values)


def check(values: Values) -> None:
    """Check that the parameters of a network are of the type that it was made with.

    Raises:
        DTypeError: They were converted to another type.
    """
    for name, value in values.items():
        if value.dtype != np.float32:
            raise DTypeError(
                f"the network's {name} is {value.dtype.name}; the parameters of a LeNet are "
                "float32. Convert it back."
            )


def load(path: str | PathLike[str]) -> tuple[dict[str, Any], Values]:
    """The options of the network in a file, and its parameters."""
    try:
        place = Path(path)
        there = place.is_file()
    except (TypeError, ValueError):
        raise ArgumentError(f"path is {path!r}; it must be the path of a file.") from None
    if not there:
        raise ArgumentError(f"{str(path)!r} is not there; path must be a file that dc.save wrote.")
    try:
        arrays = _arrays(place)
        about = json.loads(arrays.pop(ABOUT).tobytes())
        if about["schema"] != SCHEMA or about["network"] != "LeNet":
            raise ValueError(f"it is of a {about['network']}, schema {about['schema']}")
        made = lenet(**about["options"])
    except (
        D2LConvError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, TypeError,
        KeyError, AttributeError, NotImplementedError, RuntimeError, SyntaxError, MemoryError,
    ) as error:  # fmt: skip
        what = f"no entry {error}" if isinstance(error, KeyError) else str(error)
        raise ArgumentError(
            f"{str(path)!r} is damaged, or was not written by dc.save ({type(error).__name__}: "
            f"{what}). Save the network again."
        ) from error
    expected = {name: (shape, "float32") for name, shape in made.shapes.items()}
    found = {name: (array.shape, array.dtype.name) for name, array in arrays.items()}
    if found != expected:
        names = [*expected, *found]
        name = next(name for name in names if expected.get(name) != found.get(name))
        raise ArgumentError(
            f"{str(path)!r} is of another network: its {name} is {_words(found.get(name))}, and "
            f"LeNet's {_words(expected.get(name))}."
        )
    return about["options"], {name: arrays[name] for name in expected}


def _arrays(path: Path) -> dict[str, Any]:
    """All entries of a file, which may be no larger than those of a LeNet."""
    with zipfile.ZipFile(path) as members:
        for member in members.infolist():
            if member.file_size > LIMIT:
                raise ValueError(f"its entry {member.filename} has {member.file_size} bytes")
    with np.load(path, allow_pickle=False) as entries:
        return {name: entries[name] for name in entries.files}


def _words(entry: Any) -> str:
    return "not there" if entry is None else f"{entry[1]} {entry[0]}"
