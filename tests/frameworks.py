"""What a test needs to ask of a framework in its own words: native gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def vjp(
    backend: str, function: Callable[..., Any], inputs: Sequence[Any], G: Any
) -> tuple[Any, list[Any]]:
    """The output of a function and its gradients, by the framework's own differentiation.

    Args:
        backend: torch, tf, mxnet or jax.
        function: Takes native tensors, gives one.
        inputs: Native tensors.
        G: The gradient with respect to the output, a native tensor.
    """
    return globals()[f"_vjp_{backend}"](function, inputs, G)


def _vjp_torch(function: Any, inputs: Any, G: Any) -> Any:
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    Y = function(*leaves)
    Y.backward(G)
    return Y.detach(), [t.grad for t in leaves]


def _vjp_tf(function: Any, inputs: Any, G: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for t in inputs:
            tape.watch(t)
        Y = function(*inputs)
    return Y, tape.gradient(Y, list(inputs), output_gradients=G)


def _vjp_mxnet(function: Any, inputs: Any, G: Any) -> Any:
    from mxnet import autograd

    leaves = [t.copy() for t in inputs]
    for t in leaves:
        t.attach_grad()
    with autograd.record():
        Y = function(*leaves)
    Y.backward(G)
    return Y, [t.grad for t in leaves]


def _vjp_jax(function: Any, inputs: Any, G: Any) -> Any:
    import jax

    Y, pullback = jax.vjp(function, *inputs)
    return Y, list(pullback(G))


def bits(array: Any) -> np.ndarray:
    """The bits of an array's elements as unsigned integers, every NaN as the same one."""
    array = np.ascontiguousarray(array)
    array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    return array.view(f"u{array.dtype.itemsize}")


def assert_same_bits(actual: Any, expected: Any, what: str = "") -> None:
    """Fail unless two NumPy arrays have the same type, shape and bits."""
    __tracebackhide__ = True
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype} is not {expected.dtype}"
    assert actual.shape == expected.shape, f"{what}: {actual.shape} is not {expected.shape}"
    different = bits(actual) != bits(expected)
    if different.any():
        where = tuple(map(int, np.argwhere(different)[0]))
        raise AssertionError(
            f"{what}: {int(different.sum())} of {different.size} elements differ, first at "
            f"{where}: {actual[where]!r} is not {expected[where]!r}"
        )


def parameters_and_gradients(
    backend: str, layer: Any, X: Any, G: Any
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A layer's parameters by name, and their gradients for G at its output, if there is a G."""
    return globals()[f"_layer_{backend}"](layer, X, G)


def _layer_torch(layer: Any, X: Any, G: Any) -> Any:
    if G is not None:
        layer(X).backward(G)
    named = dict(layer.named_parameters())
    values = {name: p.detach().numpy() for name, p in named.items()}
    return values, {name: p.grad.numpy() for name, p in named.items() if p.grad is not None}


def _layer_tf(layer: Any, X: Any, G: Any) -> Any:
    import tensorflow as tf

    variables = layer.trainable_variables
    values = {v.name: v.numpy() for v in variables}
    if G is None:
        return values, {}
    with tf.GradientTape() as tape:
        Y = layer(X)
    gradients = tape.gradient(Y, variables, output_gradients=G)
    return values, {v.name: g.numpy() for v, g in zip(variables, gradients, strict=True)}


def _layer_mxnet(layer: Any, X: Any, G: Any) -> Any:
    from mxnet import autograd

    named = {"weight": layer.weight, "bias": layer.bias}
    named = {name: p for name, p in named.items() if p is not None}
    assert set(layer.collect_params().values()) == set(named.values())
    values = {name: p.data().asnumpy() for name, p in named.items()}
    if G is None:
        return values, {}
    with autograd.record():
        Y = layer(X)
    Y.backward(G)
    return values, {name: p.grad().asnumpy() for name, p in named.items()}


def _layer_jax(layer: Any, X: Any, G: Any) -> Any:
    import jax

    params = layer.init(jax.random.key(0), X)
    values = {name: np.asarray(p) for name, p in params["params"].items()}
    if G is None:
        return values, {}
    _, pull = jax.vjp(lambda params: layer.apply(params, X), params)
    (gradients,) = pull(G)
    return values, {name: np.asarray(g) for name, g in gradients["params"].items()}
