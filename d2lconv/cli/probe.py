"""Trying a framework in a process of its own, which it may crash."""

import signal
import subprocess
import sys

from d2lconv.core import registry

# What child processes run: look for the backends; or load one alone; or import one's framework,
# compute one element, and say that it is right. Children end with their parent.
BEGIN = """
import sys
from d2lconv.core import registry
from d2lconv.orphans import end_with_parent
end_with_parent()
"""
ALL = BEGIN + "registry.manifests()"
ONE = BEGIN + "import importlib; importlib.import_module(sys.argv[1])"
PROBE = (
    BEGIN
    + """
from d2lconv.binding import bind
registry.deadly.update(dict.fromkeys(sys.argv[2:], ""))
bound = bind(sys.argv[1])
print(bound.to_numpy(bound.corr2d([[0, 1], [3, 4]], [[0, 1], [2, 3]])).item())
"""
)
SECONDS = 180


def probe(name: str) -> str | None:
    """What is wrong with a backend's framework, None if it works."""
    try:
        found = child(PROBE, name, *registry.deadly)
    except subprocess.TimeoutExpired:
        return f"it did not answer within {SECONDS} seconds"
    lines = [line for line in found.stderr.splitlines() if line.strip()]
    if found.returncode < 0:
        return ": ".join([f"it crashed with signal {number(found.returncode)}", *lines[-1:]])
    if found.returncode > 0:
        return lines[-1] if lines else "it gave no reason"
    if found.stdout.split()[-1:] != ["19.0"]:
        return f"it gave {found.stdout!r} instead of 19.0"
    return None


def child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, to the end."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
    )


def number(status: int) -> str:
    """The signal that ended a process with this status."""
    return f"{-status} ({signal.Signals(-status).name})"
