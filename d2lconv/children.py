"""Child processes that do a job, and tell of it in lines of JSON as they go."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from d2lconv.errors import BackendBroken
from d2lconv.orphans import end_with_parent


def told(
    module: str,
    job: Mapping[str, Any],
    what: str,
    variables: Mapping[str, str] | None = None,
    seconds: float = threading.TIMEOUT_MAX,
    hint: str = "",
) -> Iterator[dict[str, Any]]:
    """What a child tells, as it comes. It is killed if nobody listens to the end.

    Args:
        module: What it runs; there it calls :func:`begun`.
        job: What it is asked for, in what JSON knows.
        what: What it does, for the error's message.
        variables: Environment variables that it has beside ours.
        seconds: How long it may take; then it is killed.
        hint: What the error's message ends with.

    Raises:
        BackendBroken: It ended with a status that is not 0; its last words are in the message.
    """
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(job)],
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as child,
    ):
        assert child.stdout is not None
        limit = threading.Timer(seconds, child.kill)
        limit.daemon = True
        limit.start()
        try:
            for line in child.stdout:
                yield json.loads(line)
        except BaseException:
            child.kill()
            raise
        finally:
            limit.cancel()
        if child.wait() != 0:
            log.seek(0)
            said = [line for line in log.read().splitlines() if line.strip()]
            last = said[-1] if said else "it gave no reason"
            if hint not in last:
                last = f"{last}. {hint}"
            raise BackendBroken(f"{what} ended with status {child.returncode}: {last}")


def begun() -> tuple[dict[str, Any], Callable[..., None]]:
    """In the child: the job, and what tells of it, by the names of its arguments."""
    end_with_parent()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some frameworks print while they load
    sys.stdout = sys.stderr  # so that what is printed comes in order, and the last words last

    def tell(**message: Any) -> None:
        print(json.dumps(message), file=out, flush=True)

    return json.loads(sys.argv[1]), tell
