"""Cross-correlation in JAX."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy
from jax import Array as Tensor
from jax import lax

from d2lconv import checks
from d2lconv.checks import choice, output_shape
from d2lconv.contract import FloatArray, fold, power_of_two
from d2lconv.costs import fastest
from d2lconv.data import FLOATS, float_type, operands, to_array
from d2lconv.errors import DTypeError
from d2lconv.matrices import BLOCK, band_places, kernel_places, window_places
from d2lconv_jax import manifest

if hasattr(jax, "enable_x64"):
    enable_x64 = jax.enable_x64
else:  # before JAX 0.8
    from jax.experimental import enable_x64

try:
    from jax._src.core import trace_state_clean as _outside
except ImportError:  # JAX promises no such question; where it has no answer, it may be inside

    def _outside() -> bool:
        return False


FLOAT32, FLOAT64 = numpy.dtype("float32"), numpy.dtype("float64")
_FLOATS = frozenset(map(numpy.dtype, FLOATS))
Tracer = jax.core.Tracer
P = ParamSpec("P")
R = TypeVar("R")
Operation = Callable[..., Tensor]


def wide(function: Callable[P, R]) -> Callable[P, R]:
    """The function, keeping float64.

    JAX narrows float64 to float32 unless a switch is on. It is turned on for the length of a call
    with a float64 argument, in the calling thread, and for no other call.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for arg in args:
            if getattr(arg, "dtype", FLOAT32) == FLOAT64:
                with enable_x64(True):
                    return function(*args, **kwargs)
        return function(*args, **kwargs)

    return call


def tensor(data: Any, dtype: Any = None) -> Tensor:
    """A new array with the values of data."""
    if isinstance(data, Tensor):
        return wide(jnp.array)(cast(data, float_type(dtype_name(data), dtype)))
    return wide(jnp.array)(to_array(data, dtype))


def to_numpy(t: Tensor) -> FloatArray:
    """A new NumPy array with the values of t."""
    return to_array(jax.device_get(t))


def dtype_name(t: Tensor) -> str:
    """The name of the type of the elements, such as "float32"."""
    return str(t.dtype.name)


def unusable(t: Any) -> str | None:
    """What a value of JAX is that is no array; None if it is one."""
    if isinstance(t, Tracer):
        return None
    if isinstance(t, Tensor):
        return "an array whose memory was given away" if t.is_deleted() else None
    return f"a {type(t).__name__}" if hasattr(t, "dtype") else None


def has_values(t: Tensor) -> bool:
    """Whether an array has values, which it has not while a function is traced."""
    return not isinstance(t, Tracer)


def _compiled(t: Any) -> bool:
    """Whether a function is being compiled that has this array among its values."""
    while isinstance(t, Tracer):
        if hasattr(t, "primal"):  # while it is differentiated
            t = t.primal
        elif hasattr(t, "batch_dim"):  # while it is mapped
            t = t.val
        else:
            return True
    return False


def cast(t: Tensor, dtype: str) -> Tensor:
    """The array in another floating type; the array itself if it has that type."""
    is_wide: bool = jax.config.jax_enable_x64  # type: ignore[attr-defined]
    if dtype == "float64" and not is_wide and _compiled(t):
        raise DTypeError(
            "float64 in a function that JAX compiles needs JAX's own switch around it: "
            "jax.config.update('jax_enable_x64', True). Or call it outside of jax.jit."
        )
    if isinstance(t, Tensor) and t.dtype == dtype:
        return t
    with enable_x64(True):
        return jnp.asarray(t, dtype)


def transpose(t: Tensor) -> Tensor:
    """The matrix with rows and columns exchanged, as a new array."""
    (t,) = operands("jax", t=t)
    return wide(jnp.transpose)(t)


def _ready(X: Any, K: Any) -> bool:
    """Whether an image and a kernel can be used as they are. Every call asks, so it is quick."""
    if not _outside():
        return False
    for t in (X, K):
        if not isinstance(t, Tensor) or t.is_deleted() or len(t.shape) != 2 or 0 in t.shape:
            return False
    return X.dtype == K.dtype and X.dtype in _FLOATS


def corr2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The cross-correlation of an image X (h, w) with a kernel K (kh, kw)."""
    if not _ready(X, K):
        X, K = operands("jax", X=X, K=K)
    return _METHODS[choice("method", method, _METHODS)](X, K)


def conv2d(X: Tensor, K: Tensor, *, method: str = "exact") -> Tensor:
    """The strict convolution: the cross-correlation with the kernel flipped in both axes."""
    if not _ready(X, K):
        X, K = operands("jax", X=X, K=K)
    return corr2d(X, _flip(K), method=method)


def im2col(X: Tensor, kernel_size: tuple[int, int]) -> Tensor:
    """The windows of an image X (h, w) as the rows of a matrix (H * W, kh * kw)."""
    (X,) = operands("jax", X=X)
    return _pick(X, window_places(X.shape, checks.kernel_size(kernel_size)))


def toeplitz(K: Tensor, input_shape: tuple[int, int]) -> Tensor:
    """The matrix (H * W, h * w) that does to an image (h, w) what the kernel K (kh, kw) does."""
    (K,) = operands("jax", K=K)
    return _pick(K, kernel_places(K.shape, input_shape))


def _wide_gradients(function: Operation) -> Operation:
    """The function, keeping float64 also where JAX differentiates it, later and by itself."""
    call = jax.custom_vjp(function)
    call.defvjp(lambda *inputs: jax.vjp(function, *inputs), lambda pull, G: wide(pull)(G))

    @wraps(function)
    def choose(*inputs: Tensor) -> Tensor:
        for t in inputs:
            if t.dtype == FLOAT64:
                return wide(call)(*inputs)
        return function(*inputs)

    return choose


@_wide_gradients
def corr2d_loop(X: Tensor, K: Tensor) -> Tensor:
    """From scratch: each output element is the sum of one window times the kernel."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    Y = jnp.zeros((H, W), X.dtype)
    for i in range(H):
        for j in range(W):
            Y = Y.at[i, j].set((X[i : i + kh, j : j + kw] * K).sum())
    return Y


def _gradients(
    *gradients: Callable[..., Tensor | None], product: Callable[..., Operation] | None = None
) -> Callable[[Operation], Operation]:
    """Give a function of arrays its gradients: each a function of the arrays and, last, of G.

    Outside of all that JAX traces nothing is differentiated. There the compiled function is called
    at once, which is several times faster for small images. If another product serves there, it is
    the function's last argument, which callers do not see.
    """

    def decorate(function: Operation) -> Operation:
        alone = compiled = jax.jit(lambda *inputs: function(*inputs))
        if product is not None:
            alone = jax.jit(lambda *inputs: function(*inputs, product(*inputs)))
        call = jax.custom_vjp(compiled)
        call.defvjp(
            lambda *inputs: (call(*inputs), inputs),
            lambda inputs, G: tuple(g(*inputs, G) for g in gradients),
        )

        @wraps(function)
        def choose(*inputs: Tensor) -> Tensor:
            return (alone if _outside() else call)(*inputs)

        signature = inspect.signature(function)
        inputs = list(signature.parameters.values())[: len(gradients)]
        vars(choose)["__signature__"] = signature.replace(parameters=inputs)
        return wide(choose)

    return decorate


@_gradients(lambda K, G: _flip(G))
def _flip(K: Tensor) -> Tensor:
    return K[::-1, ::-1]


@_gradients(lambda A, places, G: _put(A, places, G), lambda A, places, G: None)
def _pick(A: Tensor, places: Tensor) -> Tensor:
    """The elements of A at these places of it flattened; 0 at the place after the last."""
    return jnp.append(A, jnp.zeros((), A.dtype))[places]


@_gradients(
    lambda A, places, G, V: jnp.zeros_like(A),
    lambda A, places, G, V: None,
    lambda A, places, G, V: _pick(V, places),
)
def _put(A: Tensor, places: Tensor, G: Tensor) -> Tensor:
    """The gradient of _pick: the sums of what came from each place."""
    return jnp.zeros(A.size + 1, G.dtype).at[places].add(G)[:-1].reshape(A.shape)


def product(x: Tensor, k: Tensor) -> Tensor:
    """X * k, rounded before anything is added to it.

    XLA may fuse a product with the addition after it and round once instead of twice. The maximum
    with minus infinity changes no value, and stands between the two. XLA would drop it if it knew
    that its second argument is minus infinity; min(x, k, -inf) is not known to be, because it is
    NaN where x or k is, and there the product is NaN too.
    """
    return jnp.maximum(x * k, jnp.minimum(jnp.minimum(x, k), -jnp.inf))


def _product_outside(X: Tensor, K: Tensor) -> Operation:
    """A faster :func:`product` for where nothing is traced, so that XLA knows no element of K.

    Y + x * k * 1 has the same bits whether XLA fuses what is last or not: the first product is
    rounded before, and the second one is exact. XLA drops a 1 that it knows. This one is made of
    the square of a number that it does not know. No square has both its last bit and its last but
    two, but that no compiler knows. Where K can be a constant, this is not enough: of x * 3 * 1,
    XLA makes x * 1 * 3.
    """
    kind = f"uint{8 * K.dtype.itemsize}"
    number, bits = (lax.bitcast_convert_type(t, kind) for t in (K[0, 0], jnp.ones((), K.dtype)))
    square = number * number
    one = lax.bitcast_convert_type(bits | square & square >> 2 & 1, K.dtype)
    return lambda x, k: x * k * one


@_gradients(
    lambda X, K, G: image_gradient(K, G),
    lambda X, K, G: kernel_gradient(X, G),
    product=_product_outside,
)
def corr2d_exact(X: Tensor, K: Tensor, product: Operation = product) -> Tensor:
    """Shift and add: each kernel element times the part of the image that it slides over."""
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape

    def add(n: Tensor, Y: Tensor) -> Tensor:
        a, b = n // kw, n % kw
        return Y + product(lax.dynamic_slice(X, (a, b), (H, W)), K[a, b])

    at_once = kh * kw if kh * kw <= 32 else 8  # a program of all would compile slowly
    return lax.fori_loop(1, kh * kw, add, product(X[:H, :W], K[0, 0]), unroll=at_once)


@wide
@jax.jit
def tree_sum(A: Tensor) -> Tensor:
    """The sums of A (..., n) along its last axis, always in the same order: a tree of additions."""
    n = A.shape[-1]
    while n > 1:
        p = fold(n)
        sums = A[..., : n - p] + A[..., p:]
        A = sums if n == 2 * p else jnp.concatenate([sums, A[..., n - p : p]], axis=-1)
        n = p
    return A[..., 0]


@_gradients(lambda X, G, V: image_gradient(V, G), lambda X, G, V: corr2d_exact(X, V))
def kernel_gradient(X: Tensor, G: Tensor) -> Tensor:
    """dK[a, b] = sum of X[a:a+H, b:b+W] * G, for the gradient G (H, W) at the output."""
    H, W = G.shape
    kh, kw = output_shape(X.shape, G.shape)

    def sum_at(n: Tensor) -> Tensor:
        terms = product(lax.dynamic_slice(X, (n // kw, n % kw), (H, W)), G)
        return tree_sum(terms.reshape(H * W))

    return lax.map(sum_at, jnp.arange(kh * kw)).reshape(kh, kw)


@_gradients(lambda K, G, V: kernel_gradient(V, G), lambda K, G, V: corr2d_exact(V, K))
def image_gradient(K: Tensor, G: Tensor) -> Tensor:
    """dX[a:a+H, b:b+W] += K[a, b] * G, for the gradient G (H, W) at the output."""
    (kh, kw), (H, W) = K.shape, G.shape

    def add(n: Tensor, dX: Tensor) -> Tensor:
        a, b = n // kw, n % kw
        window = lax.dynamic_slice(dX, (a, b), (H, W)) + product(K[a, b], G)
        return lax.dynamic_update_slice(dX, window, (a, b))

    dX = lax.fori_loop(0, kh * kw, add, jnp.zeros((H + kh - 1, W + kw - 1), G.dtype))
    return jnp.where(dX == 0, 0, dX)  # 0 + -0 is 0, but XLA drops additions to a constant 0


@_gradients(lambda Y, b, G: G, lambda Y, b, G: tree_sum(G.reshape(1, -1)))
def add_bias(Y: Tensor, b: Tensor) -> Tensor:
    """Y + b for a bias b (1,), whose gradient is the tree sum of the gradient at the output."""
    return Y + b


@_wide_gradients
def corr2d_matmul(X: Tensor, K: Tensor) -> Tensor:
    """As a matrix product: the windows of the image, one a row, times the kernel as a column."""
    (kh, kw), shape = K.shape, output_shape(X.shape, K.shape)
    return jnp.matmul(im2col(X, (kh, kw)), K.reshape(-1), precision="highest").reshape(shape)


@_wide_gradients
@jax.jit
def corr2d_native(X: Tensor, K: Tensor) -> Tensor:
    """By JAX's own convolution, which sums in an order of its own."""
    output_shape(X.shape, K.shape)
    image, kernel = X[None, None], K[None, None]  # (batch, channel, height, width)
    return lax.conv(image, kernel, (1, 1), "VALID", precision=lax.Precision.HIGHEST)[0, 0]


@_wide_gradients
@jax.jit
def corr2d_fft(X: Tensor, K: Tensor) -> Tensor:
    """By the Fourier transform, which makes a product of a cross-correlation.

    The transform is periodic: where the kernel would leave the image, it comes in on the other
    side. The output elements are those where it does not.
    """
    H, W = output_shape(X.shape, K.shape)
    size = [power_of_two(side) for side in X.shape]
    x, k = (t.astype(jnp.promote_types(t.dtype, jnp.float32)) for t in (X, K))  # no half FFT
    product = jnp.fft.rfft2(x, size) * jnp.conj(jnp.fft.rfft2(k, size))
    return jnp.fft.irfft2(product, size)[:H, :W].astype(X.dtype)


@_wide_gradients
@jax.jit
def corr2d_banded(X: Tensor, K: Tensor) -> Tensor:
    """By matrix products: parts of the image's rows times the band matrices of the kernel's rows.

    These are blocks of the kernel's Toeplitz matrix, so small that most of a block is not zero.
    """
    H, W = output_shape(X.shape, K.shape)
    kh, kw = K.shape
    n = min(W, BLOCK)
    count = -(-W // n)
    bands = jnp.append(K, jnp.zeros((), K.dtype))[band_places((kh, kw), n)]
    X = jnp.pad(X, ((0, 0), (0, count * n - W)))
    blocks = jnp.stack([X[:, j : j + n + kw - 1] for j in range(0, W, n)])

    def add(Y: Tensor, row: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        a, band = row
        part = lax.dynamic_slice(blocks, (0, a, 0), (count, H, n + kw - 1))
        return Y + jnp.matmul(part.reshape(count * H, -1), band, precision="highest"), None

    Y, _ = lax.scan(add, jnp.zeros((count * H, n), X.dtype), (jnp.arange(kh), bands))
    return Y.reshape(count, H, n).transpose(1, 0, 2).reshape(H, count * n)[:, :W]


def corr2d_auto(X: Tensor, K: Tensor) -> Tensor:
    """By the method that should be the fastest for these shapes: see :mod:`d2lconv.costs`."""
    return _METHODS[fastest(manifest, X.shape, K.shape)](X, K)


@wide
def vjp(function: Operation, inputs: Sequence[Tensor], G: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The output of a function of tensors, and its gradients for the gradient G at the output."""
    Y, pull = jax.vjp(function, *inputs)
    return Y, list(pull(G))


_METHODS = {
    "exact": corr2d_exact,
    "loop": corr2d_loop,
    "matmul": corr2d_matmul,
    "native": corr2d_native,
    "fft": corr2d_fft,
    "banded": corr2d_banded,
    "auto": corr2d_auto,
}
