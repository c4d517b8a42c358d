"""One worker process for each backend, on any interpreter, and what it sends home.

A crash of one framework ends its process and nothing else: the case that it died in is failed,
with the signal and what it wrote to stderr, and a new worker takes up the rest.
"""

import queue
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from d2lconv.core import registry
from d2lconv.extras import needed
from d2lconv.parity.worker import unpack
from d2lconv.version import __version__

with needed("cli"):
    import execnet

CRASHES = 3  # after so many, the rest of a backend's cases is not tried
CALL = "from d2lconv.parity.worker import serve; serve(channel)"


@dataclass
class Outcome:
    """What one case came to in one backend: results, or why there are none."""

    results: dict[str, Any] | None = None
    digest: str = ""
    error: str = ""
    details: str = ""


@dataclass
class _Worker:
    """A backend's process, and what is left for it to do."""

    name: str
    spec: str
    left: list[str]
    log: Path
    facts: dict[str, str] = field(default_factory=dict)
    current: str | None = None
    crashes: int = 0
    gateway: Any = None
    channel: Any = None
    heard: float = 0.0


def specification(place: str | None) -> str:
    """The execnet specification of a place: None, an interpreter's path, or itself one.

    Example:
        >>> specification("/opt/old/bin/python")
        'popen//python=/opt/old/bin/python'
        >>> specification("ssh=host//python=python3.11")
        'ssh=host//python=python3.11'

    An id is left out: execnet takes each only once, and a worker may have to start again.

        >>> specification("popen//id=one//nice=9")
        'popen//nice=9'
    """
    if place is None:
        return f"popen//python={sys.executable}"
    if place.startswith(("popen", "ssh=", "socket=", "vagrant_ssh=")):
        return "//".join(part for part in place.split("//") if not part.startswith("id="))
    return f"popen//python={place}"


def work(
    backends: dict[str, str | None],
    wanted: Sequence[str],
    seconds: float,
    report: Callable[[str, str | None, Outcome | dict[str, str]], None],
) -> None:
    """Run the cases in every backend, each in a process of its own, all at the same time.

    Args:
        backends: The backends' names, each with the place where its worker runs.
        wanted: The names of the cases.
        seconds: How long a worker may be silent before it is taken to hang.
        report: Called with a backend's name and its facts (the case being None); then with the
            name, a case and its outcome, for every case.
    """
    mailbox: queue.Queue[tuple[_Worker, int, Any]] = queue.Queue()
    group = execnet.Group()
    with tempfile.TemporaryDirectory(prefix="d2lconv-") as folder, _ended(group):
        workers = [
            _Worker(name, specification(place), list(wanted), Path(folder) / f"{name}.log")
            for name, place in backends.items()
        ]
        for worker in workers:
            _start(worker, group, mailbox, report)
        while busy := [worker for worker in workers if worker.gateway is not None]:
            try:
                worker, born, message = mailbox.get(timeout=1)
            except queue.Empty:
                pass
            else:
                if worker.gateway is not None and born == worker.crashes:
                    _hear(worker, message, group, mailbox, report)
            for worker in busy:
                if worker.gateway is not None and time.monotonic() - worker.heard > seconds:
                    worker.gateway._io.kill()
                    _lost(worker, f"no answer within {seconds:g} s", group, mailbox, report)


END = object()


def _start(worker: _Worker, group: Any, mailbox: Any, report: Any) -> None:
    """Start a worker on what is left."""
    try:
        worker.gateway = group.makegateway(worker.spec)
        worker.channel = worker.gateway.remote_exec(CALL)
        local = worker.spec.startswith("popen")
        log = str(worker.log) if local else None
        worker.channel.send((worker.name, __version__, worker.left, log))
    except Exception as error:  # a place may be written wrongly, and execnet raises anything
        worker.gateway = None
        last = str(error).strip().rpartition("\n")[2]  # of a RemoteError, which is a whole trace
        text = f"no worker starts at {worker.spec}: {type(error).__name__}: {last}"
        _give_up(worker, text, report)
        return
    worker.heard, born = time.monotonic(), worker.crashes
    worker.channel.setcallback(lambda item: mailbox.put((worker, born, item)), endmarker=END)


def _hear(worker: _Worker, message: Any, group: Any, mailbox: Any, report: Any) -> None:
    """Take one message, or the end of a worker."""
    worker.heard = time.monotonic()
    if message is END:
        _ended_worker(worker, group, mailbox, report)
    elif message[0] == "ready":
        if not worker.facts:
            worker.facts = message[1]
            report(worker.name, None, message[1])
    elif message[0] == "absent":
        worker.gateway = None
        _give_up(worker, message[1], report)
    elif message[0] == "start":
        worker.current = message[1]
    else:
        kind, case, *rest = message
        if kind == "done":
            results = {name: unpack(packed) for name, packed in rest[1].items()}
            outcome = Outcome(results, digest=rest[0])
        else:
            outcome = Outcome(error=rest[0], details=rest[1])
        _done(worker, case, outcome, report)


def _ended_worker(worker: _Worker, group: Any, mailbox: Any, report: Any) -> None:
    """A worker's channel closed: it is through, or it crashed, or its code could not start."""
    if not worker.left:
        worker.gateway = None
        return
    try:
        worker.channel.waitclose(timeout=10)
        reason = _death(worker)
    except execnet.RemoteError as error:  # an exception in the worker's own code
        reason = str(error.formatted).strip().splitlines()[-1]
        if "ModuleNotFoundError" in reason:
            worker.gateway = None
            text = (
                f"d2lconv is not installed at {worker.spec} ({reason}). Install d2lconv "
                f"{__version__} there, with the framework."
            )
            _give_up(worker, text, report)
            return
    except (EOFError, OSError):
        reason = _death(worker)
    _lost(worker, reason, group, mailbox, report)


def _death(worker: _Worker) -> str:
    """What ended a worker's process, as far as the system tells."""
    try:
        status = worker.gateway._io.popen.wait(timeout=10)
    except Exception:  # a place that has no process of ours, or one that does not end
        return "the worker ended without a word"
    if status < 0:
        return f"the process died of {signal.Signals(-status).name}"
    return f"the process ended with status {status}"


def _lost(worker: _Worker, reason: str, group: Any, mailbox: Any, report: Any) -> None:
    """A worker is gone with work left: fail the case that it was at, and go on with a new one."""
    worker.crashes += 1
    worker.gateway = None
    details = ""
    if worker.log.exists():
        details = worker.log.read_text(encoding="utf-8", errors="replace")[-4000:]
        worker.log.unlink()
    suspicion = registry.manifests()[worker.name][0].suspicion
    if suspicion and worker.spec.startswith("popen"):  # elsewhere other variables are set
        reason = f"{reason}. {suspicion}"
    if worker.current is None:
        _give_up(worker, reason, report, details)
        return
    _done(worker, worker.current, Outcome(error=reason, details=details), report)
    if worker.crashes >= CRASHES:
        _give_up(worker, f"not tried after {CRASHES} crashes; the last one: {reason}", report)
    elif worker.left:
        _start(worker, group, mailbox, report)


def _done(worker: _Worker, case: str, outcome: Outcome, report: Any) -> None:
    worker.left.remove(case)
    worker.current = None
    report(worker.name, case, outcome)


def _give_up(worker: _Worker, reason: str, report: Any, details: str = "") -> None:
    for case in list(worker.left):
        _done(worker, case, Outcome(error=reason, details=details), report)


@contextmanager
def _ended(group: Any) -> Iterator[None]:
    """Whatever happens, leave no process behind.

    All gateways stay in the group until here, those of workers that are through as well: execnet
    waits for no other.
    """
    try:
        yield
    finally:
        for gateway in list(group):  # a busy one would not listen, and one may hang at its exit
            with suppress(Exception):
                gateway._io.kill()
        group.terminate(timeout=1)
