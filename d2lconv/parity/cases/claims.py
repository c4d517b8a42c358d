"""What the parity cases claim: what is expected, how far off it may be, what results are of.

A bounded case compares a result with another one, so that it may be off by either result's bound.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from d2lconv.binding import bind
from d2lconv.core import reference
from d2lconv.core.contract import FloatArray
from d2lconv.core.options import settings
from d2lconv.parity import bounds
from d2lconv.parity.cases import compute
from d2lconv.parity.cases.case import Comparisons
from d2lconv.parity.compare import compare
from d2lconv.parity.pooling import compare_pool, pooled
from d2lconv.rounding import functions, network


def sums(bias: float | None = None, **options: Any) -> Callable[..., Comparisons]:
    """An output, and its gradients by the names that they have in the compute."""

    def compared(X: Any, K: Any, G: Any = None, b: Any = None) -> Comparisons:
        output = partial(compare, X=X, K=K, bias=bias if b is None else b, **options)
        dX = partial(compare, of="input", K=K, G=G, **options)
        dK = partial(compare, of="weight", X=X, G=G, **options)
        found: Comparisons = {"Y": output, "dX": dX, "image": dX, "dK": dK, "weight": dK}
        return found if b is None else {**found, "bias": partial(compare, of="bias", G=G)}

    return compared


def pools(options: Mapping[str, Any]) -> Callable[..., Comparisons]:
    """Pooling of images, channels and a matrix."""
    options = {"stride": 1, **options}

    def compared(X: Any) -> Comparisons:
        given = {"Y": X, "images": X, "channels": X[0], "matrix": X[0, 0]}
        return {name: partial(compare_pool, X=image, **options) for name, image in given.items()}

    return compared


PIECE_GRADIENTS: dict[str, Callable[..., tuple[FloatArray, ...]]] = {
    "dense": network.dense_gradients,
    "sigmoid": lambda x, G: (functions.sigmoid_gradient(x, G),),
    "tanh": lambda x, G: (functions.tanh_gradient(x, G),),
    "relu": lambda x, G: (functions.relu_gradient(x, G),),
    "cross_entropy": lambda x, G: (network.softmax_cross_entropy_gradient(x, compute.CLASSES, G),),
}


def piece_gradients(name: str) -> Callable[..., dict[str, Any]]:
    """The gradients of a piece that is rounded once."""

    def expected(G: Any, **inputs: Any) -> dict[str, Any]:
        operands = {k: v for k, v in inputs.items() if k != "b"}
        found = PIECE_GRADIENTS[name](*operands.values(), G)
        return {f"d{of}": gradient for of, gradient in zip(inputs, found, strict=True)}

    return expected


def corr2d(**options: Any) -> Callable[..., dict[str, Any]]:
    """The NumPy backend's output, with a bias for each of them if there is one."""

    def expected(X: Any, K: Any, G: Any = None, b: Any = None) -> dict[str, Any]:
        Y = bind("numpy").corr2d(X, K, **options)
        return {"Y": Y if b is None else Y + b[:, None, None]}

    return expected


def gradients(**options: Any) -> Callable[..., dict[str, Any]]:
    """Those of the reference code."""

    def expected(X: Any, K: Any, G: Any) -> dict[str, Any]:
        given = settings(**options)
        dX = reference.image_gradient(K, G, X.shape, *given)
        return {"dX": dX, "dK": reference.kernel_gradient(X, G, K.shape, *given)}

    return expected


def pool(options: Mapping[str, Any]) -> Callable[..., dict[str, Any]]:
    """What pooling gives, by the definition."""
    return lambda X: {"Y": pooled(X, **{"stride": 1, **options})}


def learning(X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    """What the NumPy backend learns."""
    return compute.learning(bind("numpy"), X, Y, initial)


def allowed(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """An output: any order of additions."""
    return {"Y": 2 * bounds.corr2d(X, K)}


def allowed_fft(X: Any, K: Any, G: Any = None) -> dict[str, Any]:
    """An output by FFT."""
    return {"Y": bounds.fft(X, K) + bounds.corr2d(X, K)}


def allowed_gradients(X: Any, K: Any, G: Any) -> dict[str, Any]:
    """Gradients: any order of additions."""
    return {"dX": 2 * bounds.image_gradient(K, G), "dK": 2 * bounds.kernel_gradient(X, G)}


def allowed_fft_gradients(X: Any, K: Any, G: Any) -> dict[str, Any]:
    """The gradients are cross-correlations, of X with G, and of G in a frame of zeros with K."""
    (h, w), (kh, kw) = X.shape, K.shape
    frame = np.zeros((h + kh - 1, w + kw - 1), G.dtype)
    frame[kh - 1 : h, kw - 1 : w] = G
    # The transforms that the gradients go through are those of the forward pass, of X's size.
    dX, dK = bounds.fft(frame, K), bounds.fft(X, G)
    return {"dX": dX + bounds.image_gradient(K, G), "dK": dK + bounds.kernel_gradient(X, G)}


def _widest(*bounds: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The largest of several bounds: whichever method is chosen, it keeps its own."""

    def allowed(**inputs: Any) -> dict[str, Any]:
        every = [bound(**inputs) for bound in bounds]
        return {name: np.maximum.reduce([found[name] for found in every]) for name in every[0]}

    return allowed


ALLOWED = {"fft": allowed_fft, "auto": _widest(allowed, allowed_fft)}


ALLOWED_GRADIENTS = {
    "fft": allowed_fft_gradients,
    "auto": _widest(allowed_gradients, allowed_fft_gradients),
}


def allowed_learning(X: Any, Y: Any, initial: Any) -> dict[str, Any]:
    """Losses and kernel of ten steps."""
    losses, kernel = bounds.learning(X, Y, initial, lr=3e-2, epochs=10)
    return {"losses": 2 * losses, "kernel": 2 * kernel}
