"""The API bound to one framework, like the book's ``from d2l import torch as d2l``."""

from functools import cache, partial, update_wrapper
from types import SimpleNamespace
from typing import Any

from d2lconv import api, costs, images, kernels, learn, matrices, registry, selection
from d2lconv.receptive import Window, receptive_field


class BoundBackend(SimpleNamespace):
    """The functions of the neutral API, for one backend whatever is in force.

    ``name`` is the backend's name, ``framework`` the framework's.
    """

    name: str
    framework: str

    def __repr__(self) -> str:
        return f"<d2lconv for {self.framework}>"


@cache
def _bind(name: str) -> BoundBackend:
    backend = registry.load(name)
    ops = backend.ops
    return BoundBackend(
        name=backend.name,
        framework=backend.manifest.framework,
        tensor=ops.tensor,
        to_numpy=api.to_numpy,
        transpose=ops.transpose,
        corr2d=ops.corr2d,
        conv2d=ops.conv2d,
        explain=update_wrapper(partial(costs.explain_for, backend), api.explain),
        im2col=update_wrapper(partial(matrices.im2col, backend), api.im2col),
        toeplitz=update_wrapper(partial(matrices.toeplitz, backend), api.toeplitz),
        Conv2D=backend.layers.Conv2D,
        learn_kernel=update_wrapper(partial(learn.learn_kernel, backend), api.learn_kernel),
        edge_image=_in(backend, api.edge_image, images.edge_image),
        diagonal_image=_in(backend, api.diagonal_image, images.diagonal_image),
        photographs=api.photographs,
        photograph=_in(backend, api.photograph, images.photograph),
        load_image=_in(backend, api.load_image, images.load_image),
        receptive_field=receptive_field,
        Window=Window,
        kernels=SimpleNamespace(
            **{function: _within(name, getattr(kernels, function)) for function in kernels.__all__}
        ),
    )


def bind(name: str) -> BoundBackend:
    """The API bound to the backend of that name or alias; imports its framework."""
    return _bind(registry.resolve(name))


def _in(backend: registry.Backend, public: Any, make: Any) -> Any:
    """The public function, its NumPy result made a tensor of the backend."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return backend.ops.tensor(make(*args, **kwargs))

    return update_wrapper(function, public)


def _within(name: str, public: Any) -> Any:
    """The public function, called where the backend is in force."""

    def function(*args: Any, **kwargs: Any) -> Any:
        with selection.backend(name):
            return public(*args, **kwargs)

    return update_wrapper(function, public)
