"""What a network is trained on, checked: images and labels as NumPy arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from d2lconv.core import data, ownership, registry
from d2lconv.core.contract import FloatArray
from d2lconv.core.lenet import CLASSES, IMAGE
from d2lconv.errors import ArgumentError, DTypeError, ShapeError


@dataclass(frozen=True, eq=False)
class Examples:
    """Images (n, 1, 28, 28) of float32, and labels (n,) of int64."""

    images: FloatArray
    labels: NDArray[np.int64]


def checked(images: Any, labels: Any, first: str, second: str) -> Examples:
    """Images and labels of any framework; the last two arguments are what messages call them."""
    found = Examples(_images(images, first), _labels(labels, second))
    n, m = len(found.images), len(found.labels)
    if n != m:
        raise ShapeError(f"there are {n} {first} and {m} {second}; give one label for each image.")
    return found


def held_out(validation: Any) -> Examples:
    """The pair of images and labels that the argument ``validation`` is."""
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise ArgumentError(
            f"validation is a {type(validation).__name__}; it must be a pair (images, labels), "
            "such as dc.digits(train=False), or None."
        )
    images, labels = validation
    return checked(images, labels, "validation images", "validation labels")


def check_batch(batch_size: int, examples: Examples) -> None:
    """Check that there are enough images for a minibatch."""
    if batch_size > len(examples.labels):
        raise ArgumentError(
            f"batch_size is {batch_size}, and there are {len(examples.labels)} images; it must be "
            "no more than that."
        )


def _images(images: Any, name: str) -> FloatArray:
    backend = ownership.backend_of(images)
    if backend is None:
        array, own = data.neutral(images, name)
        dtype = own or (str(array.dtype) if hasattr(images, "dtype") else "float32")
        array = np.asarray(array, dtype)
    else:
        array = data.detached(images, name)
        dtype = registry.load(backend).tensors.dtype_name(images)
    if dtype != "float32":
        how = "Convert them." if dtype.startswith("float") else "Divide those from 0 to 255 by 255."
        raise DTypeError(f"{name} are {dtype}; they must be float32, from 0 to 1. {how}")
    if array.shape[1:] != IMAGE or not len(array):
        raise ShapeError(
            f"{name} have the shape {array.shape}; it must be (n, 1, 28, 28) with n of at least 1."
            + (" Add the channel: images[:, None]." if array.shape[1:] == IMAGE[1:] else "")
        )
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} hold an infinity or NaN; give finite numbers, from 0 to 1.")
    return array


def _labels(labels: Any, name: str) -> NDArray[np.int64]:
    backend = ownership.backend_of(labels)
    if backend is None:
        array = data.neutral(labels, name)[0]
        dtype = str(array.dtype)
    else:
        dtype = registry.load(backend).tensors.dtype_name(labels)
        array = data.detached(labels, name)
    if not dtype.startswith(("int", "uint")) and array.size:
        raise DTypeError(f"{name} are {dtype}; they must be integers from 0 to {CLASSES - 1}.")
    if array.ndim != 1 or not len(array):
        raise ShapeError(
            f"{name} have the shape {array.shape}; it must be (n,), with n of at least 1: one "
            "integer for each image."
        )
    wrong = np.flatnonzero((array < 0) | (array >= CLASSES))
    if wrong.size:
        raise ArgumentError(
            f"{name}[{wrong[0]}] is {int(array[wrong[0]])}; labels must be from 0 to {CLASSES - 1}."
        )
    return array.astype(np.int64)
