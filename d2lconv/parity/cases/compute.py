"""What the parity cases compute, by the API bound to a backend."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from d2lconv.binding import BoundBackend, bind
from d2lconv.core import registry
from d2lconv.core.options import settings
from d2lconv.parity.cases.case import Shapes
from d2lconv.parity.cases.inputs import LayerShape
from d2lconv.parity.describe import Description, call, describe, port


def corr2d(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """The cross-correlation."""
    return {"Y": dc.corr2d(X, K)}


def conv2d(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """Strict convolution, which is the cross-correlation with the flipped kernel."""
    return {"Y": dc.conv2d(X, K), "flipped": dc.corr2d(X, K[::-1, ::-1])}


def views(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """Every second row, mirrored and turned images, as NumPy arrays and as native tensors."""
    native, turned = dc.tensor(X), dc.tensor(np.asfortranarray(X))
    return {
        "strided": dc.corr2d(X[::2, ::3], K),
        "mirrored": dc.corr2d(X[::-1, ::-1], K),
        "turned": dc.corr2d(X.T, K.T),
        "native strided": dc.corr2d(native[::2, 1::3], K),
        "native turned": dc.corr2d(dc.transpose(turned), dc.transpose(K)),
    }


def gradients(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
    """Forward and backward through a layer without bias."""
    layer = dc.Conv2D(K.shape, weight=K, bias=False)
    gradients = registry.load(dc.name).layers.gradients(layer, dc.tensor(X), dc.tensor(G))
    return {"Y": layer(dc.tensor(X)), "dX": gradients["image"], "dK": gradients["weight"]}


def layer(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
    """Forward and backward through a layer with a bias."""
    return _through(dc, dc.Conv2D(K.shape, weight=K, bias=0.5), X, G)


def layer_drawn(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
    """The same for a layer whose kernel is drawn from the seed."""
    return _through(dc, dc.Conv2D(K.shape, seed=3), X, G)


def _through(dc: BoundBackend, layer: Any, X: Any, G: Any) -> dict[str, Any]:
    gradients = registry.load(dc.name).layers.gradients(layer, dc.tensor(X), dc.tensor(G))
    return {"Y": layer(dc.tensor(X)), **gradients}


def layer_of(shape: LayerShape, method: str = "exact") -> Callable[..., dict[str, Any]]:
    """Forward and backward through a layer with channels, and a bias for each output."""

    def compute(dc: BoundBackend, X: Any, K: Any, G: Any, b: Any) -> dict[str, Any]:
        outputs, per_group, *size = K.shape
        groups = shape.options.get("groups", 1)
        channels = {"in_channels": per_group * groups, "out_channels": outputs}
        layer = dc.Conv2D(tuple(size), **channels, weight=K, bias=b, method=method, **shape.options)
        return _through(dc, layer, X, G)

    return compute


def pooling_by(options: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    """Pooling of images, channels and a matrix."""

    def compute(dc: BoundBackend, X: Any) -> dict[str, Any]:
        return {
            "images": dc.pool2d(X, **options),
            "channels": dc.pool2d(X[0], **options),
            "matrix": dc.pool2d(X[0, 0], **options),
        }

    return compute


def learning(dc: BoundBackend, X: Any, Y: Any, initial: Any, **options: Any) -> dict[str, Any]:
    """Losses and kernel."""
    learned = dc.learn_kernel(X, Y, initial.shape, init=initial, **options)
    losses = np.array(learned.losses, initial.dtype)  # they are of that type in every framework
    return {"losses": losses, "kernel": learned.kernel}


def learning_exactly(dc: BoundBackend, X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    """With d2lconv's own layer."""
    return learning(dc, X, Y, initial)


def learning_strictly(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """From the output of a strict convolution: the flipped kernel is learned."""
    learned = dc.learn_kernel(X, dc.conv2d(X, K), K.shape, lr=1e-3, epochs=20)
    return {"kernel": learned.kernel, "losses": np.array(learned.losses, np.float32)}


def learning_builtin(dc: BoundBackend, X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    """With the framework's own layer."""
    return learning(dc, X, Y, initial, layer="builtin")


def by(method: str, **options: Any) -> Callable[..., dict[str, Any]]:
    """The cross-correlation by a method."""

    def compute(dc: BoundBackend, X: Any, K: Any, G: Any = None) -> dict[str, Any]:
        return {"Y": dc.corr2d(X, K, method=method, **options)}

    return compute


def gradients_by(method: str, **options: Any) -> Callable[..., dict[str, Any]]:
    """The framework's own differentiation of a method."""

    def compute(dc: BoundBackend, X: Any, K: Any, G: Any) -> dict[str, Any]:
        _, (dX, dK) = registry.load(dc.name).autodiff.vjp(
            lambda X, K: dc.corr2d(X, K, method=method, **options),
            [dc.tensor(X), dc.tensor(K)],
            dc.tensor(G),
        )
        return {"dX": dX, "dK": dK}

    return compute


def own_layer(shape: LayerShape) -> Callable[..., dict[str, Any]]:
    """Forward through the framework's own layer with these weights."""

    def compute(dc: BoundBackend, X: Any, K: Any, b: Any) -> dict[str, Any]:
        size = K.shape[2:]
        options = settings(**shape.options)
        d = Description("convolution", "numpy", "NCHW", K, b, size, *options)
        return _through_own(dc, d.on(X.shape[2:]), X)

    return compute


def own_pooling(options: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    """Through the framework's own pooling."""

    def compute(dc: BoundBackend, X: Any) -> dict[str, Any]:
        return _through_own(dc, describe(bind("numpy").Pool2D(**{"stride": 1, **options})), X)

    return compute


def _through_own(dc: BoundBackend, description: Description, X: Any) -> dict[str, Any]:
    made = port(description, dc.name)
    layer, parameters = made if isinstance(made, tuple) else (made, None)
    return {"Y": call(layer, X, parameters)}


def rounded_ranks(dc: BoundBackend, X: Any, K: Any) -> dict[str, Any]:
    """Any pair of ranks, rounded once."""
    return {"Y": dc.corr2d(X, K, method="rounded", stride=2, padding=1)}


CLASSES = np.array([2, 0, 1, 2, 2])


PIECES: dict[str, tuple[Shapes, Callable[..., Any]]] = {
    "dense": ({"X": (5, 9), "W": (4, 9), "b": (4,)}, lambda dc, X, W, b: dc.dense(X, W, b)),
    "sigmoid": ({"x": (5, 7)}, lambda dc, x: dc.sigmoid(x)),
    "tanh": ({"x": (5, 7)}, lambda dc, x: dc.tanh(x)),
    "relu": ({"x": (5, 7)}, lambda dc, x: dc.relu(x)),
    "cross_entropy": ({"x": (5, 3)}, lambda dc, x: dc.cross_entropy(x, CLASSES)),
}


def piece(name: str) -> Callable[..., dict[str, Any]]:
    """A piece of a network."""
    return lambda dc, **inputs: {"Y": PIECES[name][1](dc, **inputs)}


def piece_gradients(name: str) -> Callable[..., dict[str, Any]]:
    """The framework's own differentiation of a piece."""

    def compute(dc: BoundBackend, G: Any, **inputs: Any) -> dict[str, Any]:
        _, found = registry.load(dc.name).autodiff.vjp(
            partial(PIECES[name][1], dc), [dc.tensor(v) for v in inputs.values()], dc.tensor(G)
        )
        return {f"d{of}": gradient for of, gradient in zip(inputs, found, strict=True)}

    return compute
