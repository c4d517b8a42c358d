"""What tests compare: bits, and the parameters of native layers."""

from typing import Any

import numpy as np

from d2lconv.core import registry


def vjp(backend: str, function: Any, inputs: Any, G: Any) -> Any:
    """The output of a function and its gradients, by the framework's own differentiation."""
    return registry.load(backend).autodiff.vjp(function, inputs, G)


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


def parameters(backend: str, layer: Any, X: Any) -> dict[str, np.ndarray]:
    """A layer's parameters by name, as its framework lists them."""
    return globals()[f"_parameters_{backend}"](layer, X)


def _parameters_torch(layer: Any, X: Any) -> Any:
    return {name: p.detach().numpy() for name, p in layer.named_parameters()}


def _parameters_tf(layer: Any, X: Any) -> Any:
    return {v.name: v.numpy() for v in layer.trainable_variables}


def _parameters_mxnet(layer: Any, X: Any) -> Any:
    named = {"weight": layer.weight, "bias": layer.bias}
    named = {name: p for name, p in named.items() if p is not None}
    assert set(layer.collect_params().values()) == set(named.values())
    return {name: p.data().asnumpy() for name, p in named.items()}


def _parameters_jax(layer: Any, X: Any) -> Any:
    import jax

    found = layer.init(jax.random.key(0), X)["params"]
    return {name: np.asarray(p) for name, p in found.items()}
