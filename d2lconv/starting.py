"""Ctrl-C while the command ``d2lconv`` still imports, or already ends: one line, and no trace.

In between, :mod:`d2lconv.cli.ending` has the word. What this does, it does for the command alone:
a program that imports d2lconv keeps its own way with Ctrl-C.
"""

import os
import signal
import sys
from typing import Any


def is_command(program: str, given: list[str]) -> bool:
    """Whether a process is that of the command.

    Args:
        program: What it runs, as ``sys.argv[0]`` has it; while Python looks for a module, "-m".
        given: All that Python was started with.

    Example:
        >>> is_command("/opt/bin/d2lconv", []), is_command("-m", ["python", "-m", "d2lconv", "run"])
        (True, True)
        >>> is_command("train.py", ["python", "train.py"])
        False
    """
    if program == "-m":
        return "d2lconv" in given
    return os.path.basename(program) in ("d2lconv", "d2lconv.exe")


def _stop(number: int, frame: Any) -> None:
    """End at once: nothing is there yet, or any more, that had to be cleaned up."""
    os.write(2, b"d2lconv: stopped by SIGINT.\n")
    os._exit(130)


if is_command("".join(sys.argv[:1]), sys.orig_argv) and (
    signal.getsignal(signal.SIGINT) is signal.default_int_handler  # and not ignored
):
    signal.signal(signal.SIGINT, _stop)
