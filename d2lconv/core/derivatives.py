"""The derivatives of all operations, once for all frameworks.

A backend computes, and offers one way to register derivatives, its ``differentiable``. This module
says which derivatives an operation has; each of them is again such an operation, so that everything
can be differentiated any number of times, in reverse and in forward mode, with the same bits.

**The cross-correlation** is linear in its image and linear in its kernel. With a gradient G at its
output, ``sum(corr2d(X, K) * G)`` is linear in X, in K and in G; its derivatives by each of them are

- ``corr2d(X, K)``, by G,
- ``image_gradient(K, G)``, by X,
- ``kernel_gradient(X, G)``, by K.

So each of the three is linear in its two arguments, its gradients are the other two, and its
derivative along tangents (forward mode) is two calls of itself.

**The mean of a window** is linear, and so is **adding a bias**. **The maximum** picks elements; for
a given X, picking them from another image is linear, and its gradient sends them back to where they
are from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Operation = Callable[..., Any]
Differentiable = Callable[..., Operation]
"""What a backend offers: it makes a function differentiable.

It takes

- a function of tensors and, last, one fixed argument that is hashable and no tensor;
- its gradients, one for each tensor: functions of the tensors, the gradient at the output, and the
  fixed argument; None where the gradient is zero;
- its tangent: a function of the tensors, their tangents (None for one that has none; at least one
  has), and the fixed argument;
- the shape of its result: a function of the shapes of the tensors, and the fixed argument;

and gives a function with the arguments of the first one. The result has the first tensor's type.
Tensors of integers, such as labels, have no gradient and no tangent.
"""
Rule = Callable[..., Any]
"""The shape of a result, by the shapes of the tensors and the fixed argument."""


@dataclass(frozen=True)
class Bilinear:
    """A method: the cross-correlation and its two gradients, differentiable.

    Attributes:
        corr2d: Takes images (n, c, h, w), kernels (o, c/groups, kh, kw) and the geometry.
        image_gradient: Takes kernels, G (n, o, H, W) and the geometry.
        kernel_gradient: Takes images, G and the geometry.
        layer: Takes images, kernels, a bias (o,) and the geometry; None where a layer adds its bias
            to what ``corr2d`` gives.
    """

    corr2d: Operation
    image_gradient: Operation
    kernel_gradient: Operation
    layer: Operation | None = None


CONVOLUTION: tuple[Rule, Rule, Rule] = (
    lambda X, K, g: (X[0], *g.shape[1:]),
    lambda K, G, g: (G[0], *g.image[1:]),
    lambda X, G, g: g.kernel,
)
POOLING: tuple[Rule, Rule] = (
    lambda X, g: (*X[:2], *g[0].output),
    lambda G, g: (*G[:2], *g[0].image[2:]),
)


def bilinear(
    differentiable: Differentiable,
    corr2d: Operation,
    image_gradient: Operation,
    kernel_gradient: Operation,
    shapes: tuple[Rule, Rule, Rule] = CONVOLUTION,
) -> Bilinear:
    """Make a method of three functions that compute, and know no derivatives.

    It serves every function that is linear in two tensors, with the shapes of its three results.
    """
    Y: Operation
    dX: Operation
    dK: Operation
    Y = differentiable(
        corr2d,
        (lambda X, K, G, g: dX(K, G, g), lambda X, K, G, g: dK(X, G, g)),
        lambda X, K, tX, tK, g: _along(Y, X, K, tX, tK, g),
        shapes[0],
    )
    dX = differentiable(
        image_gradient,
        (lambda K, G, V, g: dK(V, G, g), lambda K, G, V, g: Y(V, K, g)),
        lambda K, G, tK, tG, g: _along(dX, K, G, tK, tG, g),
        shapes[1],
    )
    dK = differentiable(
        kernel_gradient,
        (lambda X, G, V, g: dX(V, G, g), lambda X, G, V, g: Y(X, V, g)),
        lambda X, G, tX, tG, g: _along(dK, X, G, tX, tG, g),
        shapes[2],
    )
    return Bilinear(Y, dX, dK)


def _along(operation: Operation, A: Any, B: Any, tA: Any, tB: Any, fixed: Any) -> Any:
    """The derivative of a bilinear operation of A and B along the tangents tA and tB."""
    terms = []
    if tA is not None:
        terms.append(operation(tA, B, fixed))
    if tB is not None:
        terms.append(operation(A, tB, fixed))
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def biased(
    differentiable: Differentiable,
    method: Bilinear,
    layer: Operation,
    summed: Operation,
    spread: Operation,
    shape: Rule,
) -> Operation:
    """Make a method with a bias differentiable, where the two are one operation.

    Args:
        differentiable: The backend's.
        method: Without a bias, differentiable.
        layer: Takes X, K, b (o,) and the fixed argument.
        summed: Takes G (n, o, ...) and None; gives its sums (o,), differentiable.
        spread: Takes V (o,), Y (n, o, ...) and None, and gives an array of Y's shape with these
            values, differentiable.
        shape: That of the result.
    """

    def along(X: Any, K: Any, b: Any, tX: Any, tK: Any, tb: Any, g: Any) -> Any:
        both = None if tX is None and tK is None else _along(method.corr2d, X, K, tX, tK, g)
        if tb is None:
            return both
        shift = spread(tb, method.corr2d(X, K, g) if both is None else both, None)
        return shift if both is None else both + shift

    return differentiable(
        layer,
        (
            lambda X, K, b, G, g: method.image_gradient(K, G, g),
            lambda X, K, b, G, g: method.kernel_gradient(X, G, g),
            lambda X, K, b, G, g: summed(G, None),
        ),
        along,
        shape,
    )


def bias(
    differentiable: Differentiable, add_bias: Operation, bias_gradient: Operation, spread: Operation
) -> Operation:
    """Make ``add_bias(Y, b)`` differentiable.

    Args:
        differentiable: The backend's.
        add_bias: Takes Y (n, o, H, W), b (o,) and None.
        bias_gradient: Takes G (n, o, H, W) and None; gives its sums (o,).
        spread: Takes V (o,) and the shape (n, o, H, W), and gives an array of it with these values.
    """
    added: Operation
    summed: Operation
    added = differentiable(
        add_bias,
        (lambda Y, b, G, _: G, lambda Y, b, G, _: summed(G, None)),
        lambda Y, b, tY, tb, _: (
            tY if tb is None else spread(tb, Y) if tY is None else added(tY, tb, None)
        ),
        lambda Y, b, _: Y,
    )
    summed = differentiable(
        bias_gradient,
        (lambda G, V, _: spread(V, G),),
        lambda G, tG, _: summed(tG, None),
        lambda G, _: G[1:2],
    )
    return lambda Y, b: added(Y, b, None)


def pools(
    differentiable: Differentiable,
    max_pool: Operation,
    pick: Operation,
    put_back: Operation,
    avg_pool: Operation,
    avg_pool_gradient: Operation,
) -> Mapping[str, Operation]:
    """Make the two poolings differentiable. The fixed argument is the geometry and what is counted.

    Args:
        differentiable: The backend's.
        max_pool: Takes X (n, c, h, w) and the fixed argument.
        pick: Takes X, V (n, c, h, w) and the fixed argument: V where X has its maxima.
        put_back: Takes X, G (n, c, H, W) and the fixed argument: G at the places of the maxima.
        avg_pool: Takes X and the fixed argument.
        avg_pool_gradient: Takes G and the fixed argument.
    """
    windows, images = POOLING
    picked: Operation
    back: Operation
    means: Operation
    spread: Operation
    maxima = differentiable(
        max_pool,
        (lambda X, G, g: back(X, G, g),),
        lambda X, tX, g: picked(X, tX, g),
        windows,
    )
    picked = differentiable(
        pick,
        (None, lambda X, V, G, g: back(X, G, g)),
        lambda X, V, tX, tV, g: picked(X, V * 0 if tV is None else tV, g),
        lambda X, V, g: windows(V, g),
    )
    back = differentiable(
        put_back,
        (None, lambda X, G, V, g: picked(X, V, g)),
        lambda X, G, tX, tG, g: back(X, G * 0 if tG is None else tG, g),
        lambda X, G, g: X,
    )
    means = differentiable(
        avg_pool, (lambda X, G, g: spread(G, g),), lambda X, tX, g: means(tX, g), windows
    )
    spread = differentiable(
        avg_pool_gradient,
        (lambda G, V, g: means(V, g),),
        lambda G, tG, g: spread(tG, g),
        images,
    )
    return {"max": maxima, "avg": means}
