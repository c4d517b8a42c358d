"""How a command ends: with one line that says why, the conventional status, and nothing left over.

- 0 and 1 are the command's own, 2 is a wrong call.
- 1 is also what the system refuses: a full disk, a file that may not be read.
- 128 + n is a signal n: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from d2lconv.errors import D2LConvError, FileError

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def status_of(command: Callable[[], Any]) -> int:
    """Run a command, and give the status to exit with.

    Every signal that asks for an end is raised as a KeyboardInterrupt, so that files and processes
    are cleaned up on the way, as they are after Ctrl-C. A signal that is ignored here, as under
    nohup, stays ignored.
    """
    received: list[int] = []

    def stop(number: int, frame: Any) -> None:
        received.append(number)
        raise KeyboardInterrupt

    for name in SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, stop)
    _print_anything()
    try:
        status, line = _status(command)
    except KeyboardInterrupt:
        status, line = 130, ""
    if received:  # whatever came of it on the way
        status, line = 128 + received[0], f"stopped by {signal.Signals(received[0]).name}."
    if line:
        with suppress(OSError):  # nobody listens
            print(f"d2lconv: {line}", file=sys.stderr, flush=True)
    return status


def _status(command: Callable[[], Any]) -> tuple[int, str]:
    try:
        try:
            command()
        except SystemExit as end:  # so typer ends
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        else:
            status = 0
        sys.stdout.flush()
        return status, ""
    except FileError as error:
        return 1, str(error)
    except D2LConvError as error:
        return 2, str(error)
    except OSError as error:  # the system refuses: here what is left of it is told, and no trace
        _give_up_stdout()
        if error.errno == errno.EPIPE:
            return 1, ""  # the reader of the output has gone, as `head` does
        where = "" if error.filename is None else f"{error.filename}: "
        return 1, f"{where}{error.strerror or error}."


def _print_anything() -> None:
    """What the terminal's encoding lacks is printed as a question mark, and is no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stand-in, in a test or a notebook, may have none
            stream.reconfigure(errors="replace")


def _give_up_stdout() -> None:
    """Stop Python from writing, at its end, what could not be written before."""
    with suppress(OSError, ValueError):  # it is closed already, or no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
