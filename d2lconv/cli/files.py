"""The files that a command writes beside what it prints."""

import json
from pathlib import Path
from typing import Any

from d2lconv.errors import ArgumentError
from d2lconv.files import replacing, writable


def check(*files: Path | None, plot: Path | None = None) -> None:
    """Check, before work begins that takes long, that files and a picture can be written.

    Raises:
        ArgumentError: There can be no such file, or two of them are one.
        ExtraNotInstalled: matplotlib is not there.
    """
    seen: set[Path] = set()
    for file in filter(None, (*files, plot)):
        path = writable(file).resolve()
        if path in seen and (path.is_file() or not path.exists()):  # and no device
            raise ArgumentError(f"{file} would be written twice. Give each file a name of its own.")
        seen.add(path)
    if plot is not None:
        from d2lconv.figures.canvas import ending

        ending(plot)


def write(file: Path, document: Any) -> None:
    """Write a report."""
    with replacing(file) as whole:
        whole.write((json.dumps(document, indent=1) + "\n").encode())
