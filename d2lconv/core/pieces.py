"""The pieces of a network, correctly rounded: what each one computes, and its derivatives.

What is computed are NumPy functions (:mod:`d2lconv.core.rounded`). A backend offers two things,
its ``differentiable`` (:mod:`d2lconv.core.derivatives`) and its ``on_host``, which makes of a
function of arrays, and of the shape of its result, one of the backend's tensors. So all pieces are
in all backends by the same few lines.

A gradient is a function of floats as any other: of what the piece was given, and of the gradient
at its output. It is its true value, rounded once. Where a derivative of a gradient is not known, as
for sigmoid's, that is an error, never a zero.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from d2lconv.core import rounded
from d2lconv.core.derivatives import (
    CONVOLUTION,
    POOLING,
    Bilinear,
    Differentiable,
    Operation,
    Rule,
    biased,
    bilinear,
    pools,
)
from d2lconv.core.protocols import Poolings
from d2lconv.core.rounded import Fixed
from d2lconv.errors import ArgumentError
from d2lconv.rounding import functions, network
from d2lconv.rounding.products import NUMPY, Arithmetic

OnHost = Callable[[Operation, Rule], Operation]

DENSE: tuple[Rule, Rule, Rule] = (
    lambda X, W, _: (X[0], W[0]),
    lambda W, G, _: (G[0], W[1]),
    lambda X, G, _: (G[1], X[1]),
)


def pieces(
    differentiable: Differentiable, on_host: OnHost, by: Arithmetic = NUMPY
) -> Mapping[str, Operation]:
    """The pieces by name, as differentiable operations; their last argument, None, is fixed.

    Args:
        differentiable: The backend's.
        on_host: The backend's: makes a function of its tensors of one of NumPy arrays, and of the
            shape of its result by the shapes of the tensors. Both take the fixed argument last.
        by: Computes in float64, if not NumPy.
    """

    def piece(compute: Operation, gradients: Any, tangent: Operation, shape: Rule) -> Operation:
        return differentiable(on_host(compute, shape), gradients, tangent, shape)

    def elementwise(compute: Operation, gradient: Operation, second: Operation | None) -> Operation:
        slope: Operation
        value = piece(
            _plain(compute),
            (lambda x, G, _: slope(x, G, None),),
            lambda x, tx, _: slope(x, tx, None),
            lambda x, _: x,
        )
        slope = piece(
            _plain(gradient),
            (second, lambda x, g, V, _: slope(x, V, None)),
            lambda x, g, tx, tg, _: (
                second() if second and tx is not None else slope(x, g * 0 if tg is None else tg, _)
            ),
            lambda x, g, _: x,
        )
        return value

    summed: Operation
    spread: Operation
    slope: Operation
    along: Operation
    summed = piece(
        rounded.sums,
        (lambda G, V, _: spread(V, G, None),),
        lambda G, tG, _: summed(tG, None),
        lambda G, _: G[1:2],
    )
    spread = piece(
        rounded.spread_out,
        (lambda b, Y, G, _: summed(G, None), None),
        lambda b, Y, tb, tY, _: spread(b * 0 if tb is None else tb, Y, None),
        lambda b, Y, _: Y,
    )
    dense, dense_layer, input_gradient, weight_gradient = rounded.dense(by)
    product = bilinear(
        differentiable,
        on_host(dense, DENSE[0]),
        on_host(input_gradient, DENSE[1]),
        on_host(weight_gradient, DENSE[2]),
        DENSE,
    )
    shape = _with_bias(DENSE[0])
    layer = biased(differentiable, product, on_host(dense_layer, shape), summed, spread, shape)

    second = _unknown("cross_entropy")
    loss = piece(
        rounded.cross_entropy,
        (lambda x, labels, G, _: slope(x, labels, G, None), None),
        lambda x, labels, tx, _, __: along(x, labels, tx, None),
        lambda x, labels, _: (),
    )
    slope = piece(
        rounded.cross_entropy_gradient,
        (second, None, lambda x, labels, g, V, _: along(x, labels, V, None)),
        lambda x, labels, g, tx, _, tg, __: (
            second() if tx is not None else slope(x, labels, tg, None)
        ),
        lambda x, labels, g, _: x,
    )
    along = piece(
        rounded.cross_entropy_tangent,
        (second, None, lambda x, labels, t, G, _: slope(x, labels, G, None)),
        lambda x, labels, t, tx, _, tt, __: (
            second() if tx is not None else along(x, labels, tt, None)
        ),
        lambda x, labels, t, _: (),
    )
    return {
        "dense": product.corr2d,
        "dense_layer": layer,
        "sums": summed,
        "spread": spread,
        "sigmoid": elementwise(functions.sigmoid, functions.sigmoid_gradient, _unknown("sigmoid")),
        "tanh": elementwise(functions.tanh, functions.tanh_gradient, _unknown("tanh")),
        "relu": elementwise(functions.relu, functions.relu_gradient, None),
        "cross_entropy": loss,
    }


def convolution(
    differentiable: Differentiable,
    made: Mapping[str, Operation],
    on_host: OnHost,
    by: Arithmetic = NUMPY,
) -> Bilinear:
    """The correctly rounded method: a layer's sums are rounded once, with their bias.

    Args:
        differentiable: The backend's.
        made: What :func:`pieces` gave.
        on_host: The backend's, as for :func:`pieces`.
        by: Computes in float64, if not NumPy.
    """
    corr2d, layer, image_gradient, kernel_gradient = rounded.convolutions(by)
    shape = _with_bias(CONVOLUTION[0])
    method = bilinear(
        differentiable,
        on_host(corr2d, CONVOLUTION[0]),
        on_host(image_gradient, CONVOLUTION[1]),
        on_host(kernel_gradient, CONVOLUTION[2]),
    )
    whole = biased(
        differentiable, method, on_host(layer, shape), made["sums"], made["spread"], shape
    )
    return replace(method, layer=whole)


def poolings(
    differentiable: Differentiable, on_host: OnHost, exact: Poolings
) -> Mapping[str, Mapping[str, Operation]]:
    """The two poolings, exact and correctly rounded.

    A maximum rounds nothing, and where no element is in two windows, nor does its gradient: there
    the two methods are the same.

    Args:
        differentiable: The backend's.
        on_host: The backend's, as for :func:`pieces`.
        exact: The backend's module of that name.
    """
    in_order = pools(
        differentiable,
        exact.max_pool,
        exact.pick,
        exact.put_back,
        exact.avg_pool,
        exact.avg_pool_gradient,
    )
    once = pools(
        differentiable,
        exact.max_pool,
        exact.pick,
        on_host(rounded.max_pool_gradient, lambda X, G, fixed: X),
        on_host(rounded.avg_pool, POOLING[0]),
        on_host(rounded.avg_pool_gradient, POOLING[1]),
    )

    def largest(X: Any, fixed: Fixed) -> Any:
        return (once if network.overlap(fixed[0]) else in_order)["max"](X, fixed)

    return {"exact": in_order, "rounded": {"max": largest, "avg": once["avg"]}}


def _with_bias(shape: Rule) -> Rule:
    """The rule for the same operation with a bias, which changes no shape."""
    return lambda X, K, b, fixed: shape(X, K, fixed)


def _plain(function: Operation) -> Operation:
    """A function of arrays alone, given the fixed argument too."""

    def compute(*inputs: Any) -> Any:
        return function(*inputs[:-1])

    compute.__name__ = function.__name__
    return compute


def _unknown(name: str) -> Operation:
    """The derivative of a gradient that nobody derived."""

    def refuse(*_: Any) -> Any:
        raise ArgumentError(
            f"{name} has no second derivative that is correctly rounded. Differentiate it once, or "
            "write it with the operations of your framework, which differentiate any number of "
            "times and round each step."
        )

    return refuse
