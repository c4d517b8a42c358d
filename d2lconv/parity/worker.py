"""What runs in a worker process: one backend, case after case, every result sent home at once.

Messages are tuples of plain values, each beginning with a word:

- ``("ready", facts)``: the framework is there; facts about it and its surroundings.
- ``("absent", message)``: the backend cannot be used, and why. The worker ends.
- ``("start", case)``, then either
- ``("done", case, digest, {name: (dtype, shape, bytes)})``, the digest being that of the inputs, or
- ``("failed", case, message, traceback)``.
"""

import hashlib
import os
import platform
import sys
import traceback
from typing import Any

import numpy as np

from d2lconv.binding import bind
from d2lconv.core import registry
from d2lconv.errors import BackendBroken, BackendNotInstalled, UnknownBackend
from d2lconv.orphans import end_with_parent
from d2lconv.parity import cases
from d2lconv.parity.cases.case import Arrays
from d2lconv.version import __version__

Packed = tuple[str, tuple[int, ...], bytes]


def serve(channel: Any) -> None:
    """Receive a backend's name, a version, names of cases, and where to write stderr; then work."""
    end_with_parent()
    name, version, wanted, log = channel.receive()
    if log is not None:
        _write_stderr_to(log)
    if version != __version__:
        text = (
            f"d2lconv {__version__} is installed there, and {version} here; they must be the same."
        )
        channel.send(("absent", text))
        return
    try:
        bind(name).corr2d([[1]], [[1]])  # some frameworks finish loading at the first use
    except (BackendBroken, BackendNotInstalled, UnknownBackend) as error:
        channel.send(("absent", str(error)))
        return
    channel.send(("ready", facts(name)))
    for case in cases.cases():
        if case.name in wanted:
            channel.send(("start", case.name))
            try:
                inputs = case.inputs()
                results = {key: pack(array) for key, array in case.run(name, inputs).items()}
                channel.send(("done", case.name, digest(inputs), results))
            except Exception as error:  # whatever a framework raises is the case's result
                text = f"{type(error).__name__}: {error}"
                channel.send(("failed", case.name, text, traceback.format_exc()))


def facts(name: str) -> dict[str, str]:
    """The versions and the machine that a backend's results come from."""
    (status,) = [status for status in registry.backends() if status.name == name]
    return {
        "framework": status.framework,
        "version": status.version or "",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "d2lconv": __version__,
    }


def digest(inputs: Arrays) -> str:
    """A hash of the inputs: the same if and only if they are the same bits."""
    found = hashlib.sha256()
    for name, array in inputs.items():
        dtype, shape, content = pack(array)
        found.update(f"{name} {dtype} {shape}\n".encode())
        found.update(content)
    return found.hexdigest()


def pack(array: Any) -> Packed:
    """An array as plain values, little-endian."""
    array = np.asarray(array)
    ordered = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    return array.dtype.name, tuple(int(n) for n in array.shape), ordered.tobytes()


def unpack(packed: Packed) -> Any:
    """The array again."""
    dtype, shape, content = packed
    array = np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).reshape(shape)
    return array.astype(dtype)


def _write_stderr_to(path: str) -> None:
    """Send what compiled code writes to stderr into a file, and a stack trace if it crashes."""
    import faulthandler

    with open(path, "ab") as file:
        os.dup2(file.fileno(), 2)
    faulthandler.enable(2)
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
