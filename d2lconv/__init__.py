"""d2lconv: one lesson, four frameworks, the same bits.

The lesson is section 7.2, "Convolutions for Images", of Dive into Deep Learning; the frameworks
are PyTorch, TensorFlow, MXNet and JAX/Flax, with NumPy as the reference.

Choose a backend for the process, for a block, or by name::

    dc.use("jax")
    with dc.backend("tf"): ...
    from d2lconv import torch as d2l
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from d2lconv import kernels, parity
from d2lconv.api import (
    Conv2D,
    conv2d,
    corr2d,
    diagonal_image,
    edge_image,
    explain,
    im2col,
    learn_kernel,
    load_image,
    photograph,
    photographs,
    tensor,
    to_numpy,
    toeplitz,
    transpose,
)
from d2lconv.costs import Explanation
from d2lconv.errors import (
    ArgumentError,
    BackendBroken,
    BackendNotInstalled,
    D2LConvError,
    DTypeError,
    ExtraNotInstalled,
    FileError,
    MixedBackendsError,
    ShapeError,
    UnknownBackend,
)
from d2lconv.exercise import Exercise, Verdict, check, exercises
from d2lconv.learn import LearnedKernel
from d2lconv.receptive import ReceptiveField, Window, receptive_field
from d2lconv.registry import BackendStatus, backends
from d2lconv.selection import backend, current_backend, use

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "BackendBroken",
    "BackendNotInstalled",
    "BackendStatus",
    "Conv2D",
    "D2LConvError",
    "DTypeError",
    "Exercise",
    "Explanation",
    "ExtraNotInstalled",
    "FileError",
    "LearnedKernel",
    "MixedBackendsError",
    "ReceptiveField",
    "ShapeError",
    "UnknownBackend",
    "Verdict",
    "Window",
    "backend",
    "backends",
    "check",
    "conv2d",
    "corr2d",
    "current_backend",
    "diagonal_image",
    "edge_image",
    "exercises",
    "explain",
    "im2col",
    "kernels",
    "learn_kernel",
    "load_image",
    "parity",
    "photograph",
    "photographs",
    "receptive_field",
    "tensor",
    "to_numpy",
    "toeplitz",
    "transpose",
    "use",
]


@cache
def _modules() -> frozenset[str]:
    """The names of the modules in this package."""
    return frozenset(module.name for module in iter_modules(__path__))


def __getattr__(name: str) -> Any:
    """The API bound to a backend, ``from d2lconv import torch as d2l``, and further modules."""
    from d2lconv import registry

    if not name.startswith("_"):
        # A module of ours that nobody imported so far: matplotlib is slow, and may not be there.
        if name in _modules():
            return import_module(f"d2lconv.{name}")
        try:
            name = registry.resolve(name)
        except UnknownBackend as error:
            raise AttributeError(f"module 'd2lconv' has no attribute {name!r}: {error}") from None
        from d2lconv.bound import bind

        return bind(name)
    raise AttributeError(f"module 'd2lconv' has no attribute {name!r}")
