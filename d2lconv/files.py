"""Files that are either whole or not there."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from d2lconv.errors import ArgumentError, FileError


def writable(path: str | os.PathLike[str]) -> Path:
    """The path, if a file can be written there; asked before work begins that takes long.

    Raises:
        ArgumentError: The folder does not exist or takes no files, or the path is a folder or none.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentError(f"path is {path!r}; it must be the path of a file.")
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder; give the name of a file.")
    if not folder.is_dir():
        raise ArgumentError(
            f"{path} cannot be written: there is no folder {folder}. Make it first."
        )
    if not _is_device(path) and not os.access(folder, os.W_OK | os.X_OK):
        raise ArgumentError(
            f"{path} cannot be written: the folder {folder} takes no new files. Give another place."
        )
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

    Until then, and if anything goes wrong, what was there stays as it was. A link stays a link,
    to a new file. A device, such as /dev/stdout, is written to as it is.

    Raises:
        FileError: The system refuses, for example because the disk is full.
    """
    try:
        if _is_device(Path(path)):
            with open(path, "wb") as file:
                yield file
        else:
            yield from _beside(Path(os.path.realpath(path)))
    except OSError as error:
        raise FileError(
            f"{os.fspath(path)} could not be written: {error.strerror or error}. What was there "
            "before is unchanged. Make room, or give another place."
        ) from error


@contextmanager
def filling(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder to write files in, which come into the one at the path when all are written.

    Until then, and if anything goes wrong, that folder stays as it was, or is not made.

    Raises:
        ArgumentError: The folder cannot be made.
        FileError: The system refuses, for example because the disk is full.
    """
    was_there = Path(path).is_dir()
    path = folder(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".d2lconv-", dir=path) as name:
            new = Path(name)
            yield new
            targets = {file: path / file.relative_to(new) for file in new.rglob("*")}
            files = [file for file in targets if file.is_file()]
            for file in files:  # first what needs room
                targets[file].parent.mkdir(parents=True, exist_ok=True)
            for file in files:
                os.replace(file, targets[file])
    except OSError as error:
        raise FileError(
            f"{path} could not be filled: {error.strerror or error}. What was there before is "
            "unchanged. Make room, or give another place."
        ) from error
    finally:
        if not was_there:
            with suppress(OSError):  # there is something in it
                path.rmdir()


def _beside(path: Path) -> Iterator[IO[bytes]]:
    """A new file beside the one at the path; then it takes its name."""
    new = path.with_name(f".d2lconv-{secrets.token_hex(8)}")
    try:
        with open(new, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(new, path.stat().st_mode & 0o777)
        os.replace(new, path)
    finally:  # an interrupt too leaves nothing behind; if all went well, nothing is there
        with suppress(OSError):
            os.unlink(new)


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()
