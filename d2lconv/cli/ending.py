"""How a command ends: with one line that says why, the conventional status, and nothing left over.

- 0 and 1 are the command's own, 2 is a wrong call.
- 1 is also what the system refuses: a full disk, a file that may not be read.
- 128 + n is a signal n: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from d2lconv.errors import D2LConvError, FileError

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
PATIENCE = 5.0  # seconds in which cleaning up is not interrupted again


def status_of(command: Callable[[], Any]) -> int:
    """Run a command, and give the status to exit with.

    Every signal that asks for an end is raised as a KeyboardInterrupt, so that files and processes
    are cleaned up on the way, as they are after Ctrl-C; whoever presses it again at once does not
    stop that. A signal that is ignored here, as under nohup, stays ignored.
    """
    _open_closed()
    received: list[int] = []
    before: dict[int, Any] = {}
    until = 0.0

    def stop(number: int, frame: Any) -> None:
        nonlocal until
        received.append(number)
        if time.monotonic() >= until:
            until = time.monotonic() + PATIENCE
            raise KeyboardInterrupt

    for name in SIGNALS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, stop)
    _print_anything()
    try:
        status, line = _status(command)
    except KeyboardInterrupt:
        status, line = 130, ""
    for number, handler in before.items():  # what is raised from here on would be a trace
        signal.signal(number, handler)
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


def _open_closed() -> None:
    """A stream that is closed, as by >&-, leads nowhere; else a file of ours would take its place.

    What is opened gets the lowest number that is free, so in this order each stream gets its own.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _print_anything() -> None:
    """What the terminal's encoding lacks is printed as a question mark, and is no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stand-in, in a test or a notebook, may have none
            stream.reconfigure(errors="replace")


def _give_up_stdout() -> None:
    """Stop Python from writing, at its end, what could not be written before."""
    with suppress(OSError, ValueError):  # it is closed already, or no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
