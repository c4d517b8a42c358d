"""The pieces of a network for one backend: the core checks and prepares, the backend computes.

They are correctly rounded, so there is one answer, and one way to it (:mod:`d2lconv.core.pieces`).
"""

from typing import Any

from d2lconv.core import checks, data
from d2lconv.core.registry import Backend
from d2lconv.errors import ShapeError

METHODS = ("rounded",)


def dense(backend: Backend, X: Any, W: Any, b: Any = None, *, method: str = "rounded") -> Any:
    """The public ``dense`` for one backend."""
    checks.choice("method", method, METHODS)
    given = {"X": X, "W": W} if b is None else {"X": X, "W": W, "b": b}
    tensors = _operands(backend, **given)
    shapes = [tuple(backend.tensors.shape(t)) for t in tensors]
    _check_dense(*shapes)
    return _piece(backend, "dense" if b is None else "dense_layer", *tensors)


def sigmoid(backend: Backend, X: Any) -> Any:
    """The public ``sigmoid`` for one backend."""
    return _piece(backend, "sigmoid", *_operands(backend, X=X))


def tanh(backend: Backend, X: Any) -> Any:
    """The public ``tanh`` for one backend."""
    return _piece(backend, "tanh", *_operands(backend, X=X))


def relu(backend: Backend, X: Any) -> Any:
    """The public ``relu`` for one backend."""
    return _piece(backend, "relu", *_operands(backend, X=X))


def cross_entropy(backend: Backend, logits: Any, labels: Any) -> Any:
    """The public ``cross_entropy`` for one backend."""
    (logits,) = _operands(backend, logits=logits)
    labels = data.integers(backend, labels, "labels")
    shape, of_labels = (tuple(backend.tensors.shape(t)) for t in (logits, labels))
    fits = len(shape) == 2 and len(of_labels) == 1 and shape[1] is not None
    if not fits or (shape[0] != of_labels[0] and None not in (shape[0], of_labels[0])):
        raise ShapeError(
            f"logits has the shape {shape} and labels the shape {of_labels}; give (n, k), a row "
            "for each example, and (n,), the number of its class."
        )
    checks.filled("logits", shape)
    return _piece(backend, "cross_entropy", logits, labels)


def _operands(backend: Backend, **named: Any) -> Any:
    """The arguments as tensors of one floating type."""
    return (
        named.values()
        if backend.tensors.ready(*named.values())
        else data.operands(backend, **named)
    )


def _piece(backend: Backend, name: str, *tensors: Any) -> Any:
    return backend.methods.compiled("rounded", backend.methods.PIECES[name])(*tensors, None)


def _check_dense(X: Any, W: Any, b: Any = None) -> None:
    """Inputs, weights and biases of a layer fit each other; the batch size may be unknown."""
    right = len(X) == len(W) == 2 and X[1] == W[1] and None not in (*W, X[1])
    if not right or (b is not None and b != W[:1]):
        of_bias = "" if b is None else f", and b the shape {b}"
        raise ShapeError(
            f"X has the shape {X} and W the shape {W}{of_bias}; give (n, i), a row for each "
            "example, (o, i), a row for each output, and (o,)."
        )
    checks.filled("X", X)
    checks.filled("W", W)
