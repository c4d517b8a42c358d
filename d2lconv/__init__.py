"""d2lconv: one lesson, four frameworks, the same bits.

The lessons follow sections 7.2 to 7.6 of Dive into Deep Learning, from "Convolutions for Images" to
"LeNet"; the frameworks are PyTorch, TensorFlow, MXNet and JAX/Flax, with NumPy as the reference.

Choose a backend for the process, for a block, or by name:

    dc.use("jax")
    with dc.backend("tf"): ...
    from d2lconv import torch as d2l
"""

from d2lconv import starting as _starting  # noqa: I001, F401 - first: the others take a while

from functools import cache as _cache
from importlib import import_module as _import_module
from pkgutil import iter_modules as _iter_modules
from typing import Any as _Any

from d2lconv import kernels, parity
from d2lconv.api import (
    Conv2D,
    Pool2D,
    conv2d,
    corr2d,
    cross_entropy,
    dense,
    diagonal_image,
    edge_image,
    explain,
    im2col,
    learn_kernel,
    load_image,
    photograph,
    photographs,
    pool2d,
    relu,
    sigmoid,
    tanh,
    tensor,
    to_numpy,
    toeplitz,
    transpose,
)
from d2lconv.binding import backend
from d2lconv.binding import bind as _bind
from d2lconv.core import registry as _registry
from d2lconv.core.costs import Explanation
from d2lconv.core.learned import LearnedKernel
from d2lconv.core.registry import BackendStatus, backends
from d2lconv.core.selection import current_backend, use
from d2lconv.errors import (
    ArgumentError,
    BackendBroken,
    BackendNotInstalled,
    D2LConvError,
    Diverged,
    DTypeError,
    ExtraNotInstalled,
    FileError,
    MixedBackendsError,
    ShapeError,
    UnknownBackend,
)
from d2lconv.exercise import Exercise, Verdict, check, exercises
from d2lconv.mnist import digits, load_idx
from d2lconv.parity import describe, port
from d2lconv.receptive import ReceptiveField, Window, receptive_field
from d2lconv.training import History, LeNet, load, save, train
from d2lconv.version import __version__

__all__ = [
    "ArgumentError",
    "BackendBroken",
    "BackendNotInstalled",
    "BackendStatus",
    "Conv2D",
    "D2LConvError",
    "DTypeError",
    "Diverged",
    "Exercise",
    "Explanation",
    "ExtraNotInstalled",
    "FileError",
    "History",
    "LeNet",
    "LearnedKernel",
    "MixedBackendsError",
    "Pool2D",
    "ReceptiveField",
    "ShapeError",
    "UnknownBackend",
    "Verdict",
    "Window",
    "__version__",
    "backend",
    "backends",
    "check",
    "conv2d",
    "corr2d",
    "cross_entropy",
    "current_backend",
    "dense",
    "describe",
    "diagonal_image",
    "digits",
    "edge_image",
    "exercises",
    "explain",
    "im2col",
    "kernels",
    "learn_kernel",
    "load",
    "load_idx",
    "load_image",
    "parity",
    "photograph",
    "photographs",
    "pool2d",
    "port",
    "receptive_field",
    "relu",
    "save",
    "sigmoid",
    "tanh",
    "tensor",
    "to_numpy",
    "toeplitz",
    "train",
    "transpose",
    "use",
]


_MODULES = ("figures", "published", "rounding", "widgets")  # beside kernels and parity


@_cache
def _modules() -> frozenset[str]:
    """The names of the modules in this package."""
    return frozenset(module.name for module in _iter_modules(__path__))


def __getattr__(name: str) -> _Any:
    """The API bound to a backend, ``from d2lconv import torch as d2l``, and further modules."""
    if not name.startswith("_"):
        # A module of ours that nobody imported so far: matplotlib is slow, and may not be there.
        if name in _modules():
            return _import_module(f"d2lconv.{name}")
        try:
            name = _registry.resolve(name)
        except UnknownBackend as error:
            raise AttributeError(f"module 'd2lconv' has no attribute {name!r}: {error}") from None
        return _bind(name)
    raise AttributeError(f"module 'd2lconv' has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is for users: the functions, the backends by name, and the modules that have more."""
    return sorted({*__all__, *_MODULES, *_registry.manifests()})
