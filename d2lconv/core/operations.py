"""The operations of the API for one backend: the core prepares, the backend computes.

A call's arguments become tensors of one floating type, a checked :class:`Geometry` and the function
of a method. All but the tensors are found once for each combination of shapes and options, as a
plan: a function of the tensors alone, which the backend may compile.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from math import prod
from types import MappingProxyType
from typing import Any

from d2lconv.core import checks, costs, data, places
from d2lconv.core.geometry import Shape, form, lifted, pooling
from d2lconv.core.options import settings, steps
from d2lconv.core.parameters import MODES, check_counted
from d2lconv.core.registry import Backend
from d2lconv.errors import ArgumentError, ShapeError
from d2lconv.rounding import convolution

Plan = Callable[..., Any]


def _remembered(find: Callable[..., Plan]) -> Callable[..., Plan]:
    """Find each plan once, except where a framework's compiler reads this code itself.

    ``tensors.compiling`` says where. Such a compiler ignores a cache, with a warning.
    """
    cached = lru_cache(2**11)(find)

    @wraps(find)
    def plan(backend: Backend, *key: Any) -> Plan:
        return (find if backend.tensors.compiling() else cached)(backend, *key)

    return plan


SIMPLE = ("fft", "banded")  # methods for one image and one kernel alone


def corr2d(
    backend: Backend,
    X: Any,
    K: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
    method: str = "exact",
) -> Any:
    """The public ``corr2d`` for one backend."""
    tensors = backend.tensors
    if not tensors.ready(X, K):
        X, K = data.operands(backend, X=X, K=K)
    options = _options(stride, padding, dilation, groups)
    if not isinstance(method, str):
        _check_method(backend, method)
    return _plan(backend, method, tensors.shape(X), tensors.shape(K), options, False)(X, K)


def conv2d(backend: Backend, X: Any, K: Any, **options: Any) -> Any:
    """The public ``conv2d`` for one backend: the cross-correlation with the kernel flipped."""
    tensors = backend.tensors
    if not tensors.ready(X, K):
        X, K = data.operands(backend, X=X, K=K)
    if len(tensors.shape(K)) not in (2, 3, 4):
        return corr2d(backend, X, K, **options)  # which says what is wrong
    return corr2d(backend, X, tensors.flip(K), **options)


def layer(backend: Backend, X: Any, weight: Any, bias: Any, options: Any, method: str) -> Any:
    """What a convolutional layer does: a cross-correlation, plus a bias (o,) if it is not None."""
    tensors = backend.tensors
    if not tensors.ready(X, weight):
        X, weight = data.operands(backend, X=X, weight=weight)
    shapes = tensors.shape(X), tensors.shape(weight)
    plan = _plan(backend, method, *shapes, options, bias is not None)
    if bias is None:
        return plan(X, weight)
    return plan(X, weight, tensors.cast(bias, tensors.dtype_name(X)))


def explain(
    backend: Backend,
    X: Any,
    K: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
    method: str = "auto",
) -> costs.Explanation:
    """The public ``explain`` for one backend."""
    checks.choice("method", method, ("auto", "rounded"))
    X, K = data.operands(backend, X=X, K=K)
    options = settings(stride, padding, dilation, groups)
    found = form(backend.tensors.shape(X), backend.tensors.shape(K), *options)
    if method == "rounded":
        image, kernel = data.detached(X, "X"), data.detached(K, "K")
        image, kernel = image.reshape(lifted(image.shape)), kernel.reshape(lifted(kernel.shape))
        counts = convolution.corr2d(image, kernel, found.geometry).counts
        bound = costs.BOUNDS["rounded"]
        return costs.Explanation("rounded", backend.name, bound, MappingProxyType({}), counts)
    return costs.explain(backend.manifest, found.geometry)


def pool2d(
    backend: Backend,
    X: Any,
    size: Any,
    *,
    mode: str = "max",
    stride: Any = 1,
    padding: Any = 0,
    count_include_pad: bool = False,
    method: str = "exact",
) -> Any:
    """The public ``pool2d`` for one backend."""
    checks.choice("mode", mode, MODES)
    checks.choice("method", method, backend.methods.POOLS)
    check_counted(mode, count_include_pad)
    if not backend.tensors.ready(X):
        (X,) = data.operands(backend, X=X)
    shape = backend.tensors.shape(X)
    given = size, stride, padding
    for value in given:
        if type(value) is not int:
            given = steps("size", size, ShapeError), *settings(stride, padding)[:2]
            break
    return _pool_plan(backend, method, mode, shape, *given, bool(count_include_pad))(X)


def transpose(backend: Backend, t: Any) -> Any:
    """The public ``transpose`` for one backend."""
    return backend.tensors.transpose(_matrix(backend, t=t))


def im2col(backend: Backend, X: Any, kernel_size: tuple[int, int]) -> Any:
    """The public ``im2col`` for one backend."""
    X = _matrix(backend, X=X)
    found = form(backend.tensors.shape(X), checks.kernel_size(kernel_size))
    reshape, geometry = backend.tensors.reshape, found.geometry
    windows = backend.methods.windows(reshape(X, found.image or ()), geometry)
    return backend.tensors.transpose(reshape(windows, (geometry.products, prod(geometry.output))))


def toeplitz(
    backend: Backend, K: Any, input_shape: tuple[int, int], *, sparse: bool = False
) -> Any:
    """The public ``toeplitz`` for one backend."""
    if sparse:
        return places.sparse_toeplitz(K, input_shape)
    K = _matrix(backend, K=K)
    checks.matrix(backend.tensors.shape(K), "K")  # here without sizes that are symbols
    found = places.kernel_places(tuple(K.shape), input_shape)
    return backend.methods.toeplitz(K, found)


def _matrix(backend: Backend, **named: Any) -> Any:
    """One argument, checked to be a matrix."""
    (t,) = data.operands(backend, **named)
    checks.matrix(tuple(t.shape), *named)
    return t


def _options(*given: Any) -> Any:
    """Options as a plan is remembered by: whole numbers as they are, which is quick."""
    for value in given:
        if type(value) is not int:
            return settings(*given)
    return given


@_remembered
def _plan(
    backend: Backend, method: str, image: Shape, kernel: Shape, options: Any, bias: bool
) -> Plan:
    """A method for tensors of these shapes: a function of X, K and perhaps a bias (o,)."""
    names = _check_method(backend, method)
    found = form(image, kernel, *settings(*options))
    geometry = found.geometry
    if method in SIMPLE and not geometry.is_simple:
        allowed = ", ".join(name for name in names if name not in SIMPLE)
        raise ArgumentError(
            f"method {method!r} is for one image (h, w) and one kernel (kh, kw), with no stride, "
            f"padding, dilation or groups. Allowed here: {allowed}."
        )
    if method == "auto":
        method = costs.explain(backend.manifest, geometry).method
    found_method, add_bias = backend.methods.METHODS[method], backend.methods.add_bias
    corr2d, layer = found_method.corr2d, found_method.layer
    reshape, result = backend.tensors.reshape, found.result
    image4, kernel4 = found.image, found.kernel

    def run(X: Any, K: Any, b: Any = None) -> Any:
        if image4 is not None:
            X = reshape(X, image4)
        if kernel4 is not None:
            K = reshape(K, kernel4)
        if b is None:
            Y = corr2d(X, K, geometry)
        elif layer is not None:
            Y = layer(X, K, b, geometry)
        else:
            Y = add_bias(corr2d(X, K, geometry), b)
        return Y if result is None else reshape(Y, result)

    return backend.methods.compiled(method, run)


def _check_method(backend: Backend, method: Any) -> tuple[str, ...]:
    """Check that there is such a method; gives the names of all."""
    names = *backend.methods.METHODS, "auto"
    checks.choice("method", method, names)
    return names


@_remembered
def _pool_plan(
    backend: Backend,
    method: str,
    mode: str,
    shape: Shape,
    size: Any,
    stride: Any,
    padding: Any,
    counted: bool,
) -> Plan:
    """Pooling of tensors of this shape: a function of X."""
    geometry, has_batch = pooling(shape, size, stride, padding)
    pool, reshape = backend.methods.POOLS[method][mode], backend.tensors.reshape

    def run(X: Any) -> Any:
        if has_batch:
            return pool(X, (geometry, counted))
        n, c, h, w = geometry.image
        Y = pool(reshape(X, (n or 1, c, h, w)), (geometry, counted))
        return reshape(Y, (*shape[:-2], *geometry.output))

    return backend.methods.compiled(mode if method == "exact" else method, run)
