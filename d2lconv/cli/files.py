"""The files that a command writes beside what it prints."""

import json
from pathlib import Path
from typing import Any

from d2lconv.files import replacing, writable


def check(json_file: Path | None, plot_file: Path | None) -> None:
    """Check, before work begins that takes long, that a report and a picture can be written.

    Raises:
        ArgumentError: There can be no such file.
        ExtraNotInstalled: matplotlib is not there.
    """
    for file in filter(None, (json_file, plot_file)):
        writable(file)
    if plot_file is not None:
        from d2lconv.figures.canvas import ending

        ending(plot_file)


def write(file: Path, document: Any) -> None:
    """Write a report."""
    with replacing(file) as whole:
        whole.write((json.dumps(document, indent=1) + "\n").encode())
