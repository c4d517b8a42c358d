"""Cross-correlation in MXNet."""

import atexit
import math
import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce, wraps
from itertools import accumulate, pairwise
from operator import add
from typing import Any

import numpy

from d2lconv import checks
from d2lconv.checks import choice, output_shape
from d2lconv.contract import FloatArray, fold
from d2lconv.costs import fastest
from d2lconv.data import check_usable, float_type, operands, to_array
from d2lconv.errors import ArgumentError
from d2lconv.matrices import BLOCK, band_places, kernel_places
from d2lconv_mxnet import manifest, numpy_view

numpy_view.install()

from mxnet import autograd, nd, np, npx, sym, util  # noqa: E402
from mxnet._ctypes.ndarray import NDArrayBase  # noqa: E402

npx.set_np()  # NumPy semantics, for the whole process: mxnet.np does not work without

Tensor = Any  # mxnet.np.ndarray, for which MXNet ships no types
DENSE = (np.ndarray, nd.NDArray)
Operation = Callable[..., Tensor]

_FLOATS = frozenset((numpy.float16, numpy.float32, numpy.float64))
_dtype = nd.NDArray.dtype.fget  # as the property of mxnet.np.ndarray, in a third of the time


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new array with the values of data."""
    if isinstance(data, NDArrayBase):
        check_usable("mxnet", data)
        data = data.as_np_ndarray()  # MXNet's older kind of array comes too
        return data.astype(float_type(dtype_name(data), dtype), copy=True)
    data = to_array(data, dtype)
    return np.array(data, dtype=data.dtype)


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(t.asnumpy())


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return numpy.dtype(t.dtype).name


def unusable(t: Any) -> str | None:
    """What a value of MXNet is that is no dense array; None if it is one."""
    if type(t) in DENSE:
        return None
    if isinstance(t, NDArrayBase):
        return f"an array of the storage type {t.stype!r}"
    return f"a {type(t).__name__}" if hasattr(t, "dtype") else None


def has_values(t: Tensor) -> bool:
    """Whether an array has values, which it always has: symbols are no arrays."""
    return True


def cast(t: Tensor, dtype: str) -> Tensor:
    """The array in another floating type; the array itself if it has that type."""
    return t.astype(dtype, copy=False)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new array."""
    (t,) = operands("mxnet", t=t)
    return t.T.copy()


def _ready(X: Any, K: Any) -> bool:
    """Whether an image and a kernel can be used as they are. Every call asks, so it is quick."""
    if type(X) is not np.ndarray or type(K) is not np.ndarray:
        return False
    dtype = _dtype(X)
    if dtype is not _dtype(K) or dtype not in _FLOATS:
        return False
    return all(len(shape) == 2 and 0 not in shape for shape in (X.shape, K.shape))


def corr2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The cross-correlation of an image X (h, w) with a kernel K (kh, kw)."""
    if not _ready(X, K):
        X, K = operands("mxnet", X=X, K=K)
    return _METHODS[choice("method", method, _METHODS)](X, K)


def conv2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The strict convolution: the cross-correlation with the kernel flipped in both axes."""
    if not _ready(X, K):
        X, K = operands("mxnet", X=X, K=K)
    return corr2d(X, np.flip(K, (0, 1)), method=method)


def im2col(X: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """The windows of an image X (h, w) as the rows of a matrix (H * W, kh * kw)."""
    (X,) = operands("mxnet", X=X)
    kh, kw = checks.kernel_size(kernel_size)
    H, W = output_shape(X.shape, (kh, kw))
    parts = [X[a : a + H, b : b + W] for a in range(kh) for b in range(kw)]
    return np.stack([part.reshape(-1) for part in parts], axis=1)


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix (H * W, h * w) that does to an image (h, w) what the kernel K (kh, kw) does."""
    (K,) = operands("mxnet", K=K)
    places = kernel_places(K.shape, input_shape)
    elements = np.concatenate([K.reshape(-1), np.zeros(1, dtype=K.dtype)])
    return np.take(elements, np.array(places, dtype=places.dtype))


# In other threads than the first, NumPy semantics are off.
@util.use_np  # type: ignore[untyped-decorator]
def corr2d_loop(X: Tensor, K: Tensor) -> Tensor:
    """From scratch: each output element is the sum of one window times the kernel."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    Y = np.zeros((H, W), dtype=X.dtype)
    for i in range(H):
        for j in range(W):
            Y[i, j] = (X[i : i + kh, j : j + kw] * K).sum()
    return Y


def _gradients(*gradients: Operation) -> Callable[[Operation], Operation]:
    """Give a function of arrays its gradients: each a function of the arrays and, last, of G.

    MXNet 1.9's autograd.Function loses gradients when it has several inputs: if the first one
    needs none, the others get none either, and grad_req="add" adds nothing. With a single input
    neither can happen, so the inputs are joined to one before, by operations that MXNet
    differentiates itself.
    """

    def decorate(function: Operation) -> Operation:
        class Function(autograd.Function):  # type: ignore[misc]
            def __init__(self, shapes: list[tuple[int, ...]]) -> None:
                super().__init__()
                self.shapes = shapes

            def forward(self, joined: Tensor) -> Tensor:
                # Backward needs the inputs, but must not keep them: if one is a parameter, its
                # update waits for the gradient, and a gradient that reads the parameter would
                # wait for the update, for ever. The parts of the joined array are nobody else's.
                ends = list(accumulate(map(math.prod, self.shapes), initial=0))
                parts = [joined[start:end] for start, end in pairwise(ends)]
                self.inputs = [
                    part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)
                ]
                return function(*self.inputs)

            def backward(self, G: Any) -> Any:
                # MXNet calls this in a thread of its own, in which NumPy semantics are off, and
                # takes and gives arrays of its older kind.
                with util.np_shape(True), util.np_array(True):
                    results = [g(*self.inputs, G.as_np_ndarray()) for g in gradients]
                    return np.concatenate([r.reshape(-1) for r in results]).as_nd_ndarray()

        def call(*inputs: Tensor) -> Tensor:
            if not autograd.is_recording():
                return function(*inputs)
            joined = np.concatenate([x.reshape(-1) for x in inputs])
            return Function([x.shape for x in inputs])(joined)

        return wraps(function)(call)

    return decorate


@_gradients(lambda X, K, G: image_gradient(K, G), lambda X, K, G: kernel_gradient(X, G))
def corr2d_exact(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add: each kernel element times the part of the image that it slides over."""
    image, kernel = X.shape, K.shape
    (H, W), (kh, kw) = output_shape(image, kernel), kernel
    if kh * kw <= 128 and _is_small(image, kernel):
        return _program(_shift_and_add, image, kernel, STATIC)(X, K)
    if X.dtype != numpy.float64:
        return _in_place(X, K)  # the same, faster
    first, *others = ((a, b) for a in range(kh) for b in range(kw))
    Y = X[:H, :W] * K[first]
    for a, b in others:
        Y = Y + X[a : a + H, b : b + W] * K[a, b]
    return Y


def _shift_and_add(X: Any, K: Any, image: tuple[int, int], kernel: tuple[int, int]) -> Any:
    """The shift and add of symbols, whose shapes must be told: all products, then their sum."""
    X, K = X.reshape((1, 1, *image)).as_nd_ndarray(), K.reshape((1, -1, 1)).as_nd_ndarray()
    products = sym.broadcast_mul(sym.im2col(X, kernel=kernel), K)
    Y, *others = sym.split(products, num_outputs=math.prod(kernel), axis=1)
    while others:
        Y, others = _sum(sym, Y, others[:3]), others[3:]
    return Y.as_np_ndarray().reshape(output_shape(image, kernel))


def _sum(module: Any, Y: Any, terms: Sequence[Any], **options: Any) -> Any:
    """Y + terms[0] + ..., three at the most, in that order, by one operation of arrays or symbols.

    MXNet's sum of up to four begins with the last two; that of more takes several times as long.
    """
    return module.add_n(*reversed(terms), Y, **options)


def _in_place(X: Tensor, K: Tensor) -> Tensor:
    """Shift and add with as little work for Python as can be: it costs more than the arithmetic.

    The image is flattened: so each shifted part of it is a piece of memory and needs no copy. What
    comes out beyond the ends of the output's rows is cut off at the end. Kernel elements are
    numbers, which go to MXNet as decimal digits; it reads these precisely enough for float32, but
    not for float64.
    """
    (H, W), w = output_shape(X.shape, K.shape), X.shape[1]
    n = H * w - (w - W)
    rows_of_K = enumerate(K.asnumpy().tolist())
    places = [(a * w + b, element) for a, row in rows_of_K for b, element in enumerate(row)]
    flat = X.as_nd_ndarray().reshape((-1,))
    # The last row may end in the first buffer, whose values there are cut off too.
    memory = nd.empty(H * w + 3 * n, dtype=X.dtype, ctx=X.ctx)
    Y, *buffers = (memory._slice(start, start + n) for start in range(0, 4 * n, n))

    def products(some: Sequence[tuple[int, float]], into: Sequence[Any]) -> list[Any]:
        return [
            nd._internal._mul_scalar(flat._slice(start, start + n), element, out=buffer)
            for (start, element), buffer in zip(some, into, strict=False)
        ]

    products(places[:1], [Y])
    for i in range(1, len(places), 3):
        _sum(nd, Y, products(places[i : i + 3], buffers), out=Y)
    rows = memory._slice(0, H * w).reshape((H, w))
    return nd.slice_axis(rows, axis=1, begin=0, end=W).as_np_ndarray()


STATIC = (("static_alloc", True), ("static_shape", True))  # keeps its memory, and is faster


def _is_small(image: tuple[int, int], kernel: tuple[int, int]) -> bool:
    """Whether a program may keep memory for all products of an image and a kernel element."""
    return math.prod(output_shape(image, kernel)) * math.prod(kernel) <= 2**17


@lru_cache(64)
def _program(steps: Operation, image: Any, kernel: Any, flags: Any = ()) -> Operation:
    """The steps on an image and a kernel of these shapes, as a graph that is run by one call."""
    X, K = (sym.Variable(name).as_np_ndarray() for name in "XK")
    program: Operation = nd.CachedOp(steps(X, K, image, kernel), flags)
    return program


def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n) along its last axis, always in the same order: a tree of additions."""
    n = A.shape[-1]
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else np.concatenate([sums, A[..., n - p : p]], axis=-1)
        n = p
    return A[..., 0]


def kernel_gradient(X: Tensor, G: Tensor) -> Tensor:
    """dK[a, b] = sum of X[a:a+H, b:b+W] * G, for the gradient G (H, W) at the output."""
    H, W = G.shape
    kh, kw = output_shape(X.shape, G.shape)
    dK = []
    for a in range(kh):
        terms = np.stack([X[a : a + H, b : b + W] * G for b in range(kw)])
        dK.append(tree_sum(terms.reshape(kw, H * W)))
    return np.stack(dK)


def image_gradient(K: Tensor, G: Tensor) -> Tensor:
    """dX[a:a+H, b:b+W] += K[a, b] * G, for the gradient G (H, W) at the output."""
    (kh, kw), (H, W) = K.shape, G.shape
    dX = np.zeros((H + kh - 1, W + kw - 1), dtype=G.dtype)
    for a in range(kh):
        for b in range(kw):
            dX[a : a + H, b : b + W] += K[a, b] * G
    return dX


@_gradients(lambda Y, b, G: G, lambda Y, b, G: tree_sum(G.reshape(1, -1)))
def add_bias(Y: Tensor, b: Tensor) -> Tensor:
    """Y + b for a bias b (1,), whose gradient is the tree sum of the gradient at the output."""
    return Y + b


@atexit.register
def _finish() -> None:
    """At exit, end all work first, and then free no arrays.

    MXNet stops the threads that run its autograd functions before it waits for all work: what
    is left for them then is waited for without end. And it frees arrays after its modules are
    gone, which prints errors.
    """
    npx.waitall()
    NDArrayBase.__del__ = lambda self: None


def _settle() -> None:
    """Before a process is forked, end all work, and let MXNet drop the functions that did it.

    It stops those threads at a fork too, while Python runs nothing else: not even what the threads
    have left to do in it.
    """
    functions = autograd.Function._registry.ref_holder
    before = None
    while before != len(functions):
        before = len(functions)
        npx.waitall()
        time.sleep(0.02)  # in which other threads have Python's lock


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(before=_settle)


def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """As a matrix product: the windows of the image, one a row, times the kernel as a column."""
    (kh, kw), shape = K.shape, output_shape(X.shape, K.shape)
    return _in_float32(np.dot, im2col(X, (kh, kw)), K.reshape(-1)).reshape(shape)


def corr2d_native(X: Tensor, K: Tensor) -> Tensor:
    """By MXNet's own convolution, which sums in an order of its own."""
    return _in_float32(_native, X, K)


def _native(X: Tensor, K: Tensor) -> Tensor:
    image, kernel = X.shape, K.shape
    shape = output_shape(image, kernel)
    if math.prod(shape) <= 2**16:
        return _program(_convolution, image, kernel, STATIC)(X, K)
    # Here copies would cost more than calls: MXNet's older arrays change their shape without one.
    X, K = (  # (batch, channel, height, width)
        t.as_nd_ndarray().reshape((1, 1, *size)) for t, size in ((X, image), (K, kernel))
    )
    Y = nd.Convolution(X, K, kernel=kernel, num_filter=1, no_bias=True)
    return Y.reshape(shape).as_np_ndarray()


def _convolution(X: Any, K: Any, image: tuple[int, int], kernel: tuple[int, int]) -> Any:
    """MXNet's convolution of symbols, whose shapes must be told."""
    inputs = X.reshape((1, 1, *image)), K.reshape((1, 1, *kernel))  # (batch, channel, ...)
    return sym.npx.convolution(
        inputs[0], weight=inputs[1], kernel=kernel, num_filter=1, no_bias=True
    ).reshape(output_shape(image, kernel))


def corr2d_fft(X: Tensor, K: Tensor) -> Tensor:
    """MXNet has no Fourier transform on the CPU."""
    allowed = ", ".join(name for name in _METHODS if name != "fft")
    raise ArgumentError(
        f"MXNet has no Fourier transform on the CPU, so no method 'fft'. Allowed: {allowed}."
    )


def corr2d_banded(X: Tensor, K: Tensor) -> Tensor:
    """By matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    return _in_float32(_banded, X, K)


def _banded(X: Tensor, K: Tensor) -> Tensor:
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    n = min(W, BLOCK)
    count = -(-W // n)
    places = band_places((kh, kw), n)
    elements = np.concatenate([K.reshape(-1), np.zeros(1, dtype=K.dtype, ctx=K.ctx)])
    bands = np.take(elements, np.array(places, dtype=places.dtype, ctx=K.ctx))
    # MXNet's own pad needs a part of NumPy that NumPy 2 has no more.
    empty = np.zeros((X.shape[0], n - 1), dtype=X.dtype, ctx=X.ctx)
    X = np.concatenate([X, empty], axis=1)[:, : count * n + kw - 1]
    blocks = np.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])

    def product(a: int) -> Tensor:
        return np.dot(blocks[:, a : a + H].reshape(count * H, n + kw - 1), bands[a])

    Y = reduce(add, map(product, range(kh)))
    return Y.reshape(count, H, n).transpose(1, 0, 2).reshape(H, count * n)[:, :W]


def corr2d_auto(X: Tensor, K: Tensor) -> Tensor:
    """By the method that should be the fastest for these shapes: see :mod:`d2lconv.costs`."""
    return _METHODS[fastest(manifest, X.shape, K.shape)](X, K)


def _in_float32(function: Operation, *inputs: Tensor) -> Tensor:
    """The function, of which MXNet has no float16 on the CPU: there in float32, and rounded."""
    if _dtype(inputs[0]) is not numpy.float16:
        return function(*inputs)
    return function(*(t.astype(numpy.float32) for t in inputs)).astype(numpy.float16)


def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    leaves = [t.copy() for t in inputs]
    for t in leaves:
        t.attach_grad()
    with autograd.record():
        Y = function(*leaves)
    Y.backward(G)
    return Y, [t.grad for t in leaves]


_METHODS = {
    "exact": corr2d_exact,
    "loop": corr2d_loop,
    "matmul": corr2d_matmul,
    "native": corr2d_native,
    "fft": corr2d_fft,
    "banded": corr2d_banded,
    "auto": corr2d_auto,
}
