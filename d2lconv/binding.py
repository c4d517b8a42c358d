"""The API bound to one framework, like the book's ``from d2l import torch as d2l``."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, update_wrapper
from types import SimpleNamespace
from typing import Any

from d2lconv import api, images, kernels, mnist, training
from d2lconv.core import learned, network, operations, registry, selection
from d2lconv.receptive import Window, receptive_field


class BoundBackend(SimpleNamespace):
    """The functions of the neutral API, for one backend whatever is in force.

    ``name`` is the backend's name, ``framework`` the framework's.
    """

    name: str
    framework: str

    def __repr__(self) -> str:
        return f"<d2lconv for {self.framework}>"


class BoundKernels(SimpleNamespace):
    """The kernels of :mod:`d2lconv.kernels`, as tensors of one backend."""

    def __repr__(self) -> str:
        return f"<the kernels of d2lconv: {', '.join(vars(self))}>"


@cache
def _bind(name: str) -> BoundBackend:
    backend = registry.load(name)
    bound = {
        public.__name__: _to(backend, public, function)
        for public, function in (
            (api.transpose, operations.transpose),
            (api.corr2d, operations.corr2d),
            (api.conv2d, operations.conv2d),
            (api.explain, operations.explain),
            (api.pool2d, operations.pool2d),
            (api.dense, network.dense),
            (api.sigmoid, network.sigmoid),
            (api.tanh, network.tanh),
            (api.relu, network.relu),
            (api.cross_entropy, network.cross_entropy),
            (api.im2col, operations.im2col),
            (api.toeplitz, operations.toeplitz),
            (api.learn_kernel, learned.learn_kernel),
        )
    }
    return BoundBackend(
        name=backend.name,
        framework=backend.manifest.framework,
        **bound,
        tensor=update_wrapper(_passed(backend.tensors.tensor), api.tensor),
        to_numpy=api.to_numpy,
        Conv2D=_documented(backend.layers.Conv2D, api.Conv2D),
        Pool2D=_documented(backend.layers.Pool2D, api.Pool2D),
        edge_image=_in(backend, api.edge_image, images.edge_image),
        diagonal_image=_in(backend, api.diagonal_image, images.diagonal_image),
        photographs=api.photographs,
        photograph=_in(backend, api.photograph, images.photograph),
        load_image=_in(backend, api.load_image, images.load_image),
        digits=_within(name, mnist.digits),
        load_idx=_within(name, mnist.load_idx),
        LeNet=_within(name, training.LeNet),
        train=training.train,
        save=training.save,
        load=_within(name, training.load),
        receptive_field=receptive_field,
        Window=Window,
        kernels=BoundKernels(
            **{function: _within(name, getattr(kernels, function)) for function in kernels.__all__}
        ),
    )


def bind(name: str) -> BoundBackend:
    """The API bound to the backend of that name or alias; imports its framework."""
    return _bind(registry.resolve(name))


@contextmanager
def backend(name: str) -> Iterator[BoundBackend]:
    """Choose the backend for a block of code, in this thread or task only.

    A generator shares the context of whoever runs it: while it waits at a ``yield`` inside a
    block, the block is in force there too. Ends of blocks in another order than their beginnings
    do no harm: each one takes back its own choice and no other.

    Args:
        name: A backend's name or an alias: numpy, torch, tf, mxnet, jax.

    Yields:
        The API bound to that backend, as ``from d2lconv import NAME`` gives it.

    Raises:
        UnknownBackend: There is no such backend.
        BackendNotInstalled: Its framework is not installed.
        BackendBroken: Its framework does not import.

    Example:
        >>> import d2lconv as dc
        >>> with dc.backend("numpy"):
        ...     dc.corr2d([[0, 1, 2]], [[1, -1]])
        array([[-1., -1.]], dtype=float32)
    """
    bound = bind(name)
    with selection.chosen(bound.name):
        yield bound


def _documented(layer: Any, public: Any) -> Any:
    """A backend's layer, described in full, as the function is that makes one."""
    own, whole = layer.__doc__, public.__doc__
    if own and "Args:" not in own:  # Python has no docstrings with -OO
        arguments = whole.partition("\n\n")[2]
        layer.__doc__ = f"{own.partition(chr(10))[0]}\n\n{arguments}"
    return layer


def _passed(make: Any) -> Any:
    """A function of a backend, to be named and described as the public one is."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return make(*args, **kwargs)

    return function


def _to(backend: registry.Backend, public: Any, operation: Any) -> Any:
    """The public function, for one backend."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return operation(backend, *args, **kwargs)

    return update_wrapper(function, public)


def _in(backend: registry.Backend, public: Any, make: Any) -> Any:
    """The public function, its NumPy result made a tensor of the backend."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return backend.tensors.tensor(make(*args, **kwargs))

    return update_wrapper(function, public)


def _within(name: str, public: Any) -> Any:
    """The public function, called where the backend is in force."""

    def function(*args: Any, **kwargs: Any) -> Any:
        with selection.chosen(name):
            return public(*args, **kwargs)

    return update_wrapper(function, public)
