"""Files that are either whole or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from d2lconv.errors import ArgumentError


def writable(path: str | os.PathLike[str]) -> Path:
    """The path, if a file can be written there; asked before work begins that takes long.

    Raises:
        ArgumentError: The folder does not exist or takes no files, or the path is a folder.
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder; give the name of a file.")
    if not folder.is_dir():
        raise ArgumentError(
            f"{path} cannot be written: there is no folder {folder}. Make it first."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ArgumentError(f"{path} cannot be written: the folder {folder} takes no new files.")
    return path


def folder(path: str | os.PathLike[str]) -> Path:
    """The path of a folder, which is made if it is not there.

    Raises:
        ArgumentError: It cannot be made.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"the folder {path} cannot be made: {error.strerror}.") from None
    return path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of the one at the path when all went well.

    Until then, and if anything goes wrong, what was there stays as it was.
    """
    path = Path(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
